import { Argument, Option } from 'commander';
import { collect } from '../arguments-collect.ts';
import type { CertifyOptions } from '../commands/certify.ts';
import { completionScript, SHELLS, type Shell } from '../commands/completion.ts';
import type { DevOptions } from '../commands/dev.ts';
import type { EnrollOptions } from '../commands/enroll.ts';
import type { ExecOptions } from '../commands/exec.ts';
import type { InitOptions } from '../commands/init.ts';
import type { KeyOptions } from '../commands/key.ts';
import type { ProbeOptions } from '../commands/probe.ts';
import type { SealOptions } from '../commands/seal.ts';
import { type Declare, example, NOTE } from '../declare.ts';
import { EXIT } from '../exit-codes.ts';

/** The mesh itself: its hosts, its health, its programs. */
export const meshCommands: Declare = (program, go) => {
  const hosts = program
    .command('hosts')
    .summary('enrolled hosts and how they are')
    .description('Lists every enrolled host: whether it answers, its labels, load and what it runs.')
    .addHelpText('after', example('signalbox hosts'))
    .action(() => go(async (cli) => (await import('../commands/hosts.ts')).hosts(cli)));

  hosts
    .command('revoke')
    .summary('put a host out of the mesh, at once')
    .description('Cuts off a host that has joined, also where it is connected; its key is worth nothing from then on.')
    .argument('<host>', 'its name')
    .requiredOption('--note <text>', NOTE)
    .addHelpText('after', example("signalbox hosts revoke miner-3 --note 'sold'"))
    .action((host: string, options: { note: string }) =>
      go(async (cli) => (await import('../commands/enroll.ts')).revoke(cli, host, options)),
    );

  hosts
    .command('rotate')
    .summary('replace the key of a host while it works')
    .description(
      'The host makes itself another key and signs with both, so that no run stops. With --withdraw the one before is worth nothing from then on; that is refused while a run goes on that was planned with it.',
    )
    .argument('<host>', 'its name')
    .option('--withdraw', 'end the overlap')
    .addHelpText('after', example('signalbox hosts rotate miner-3', 'signalbox hosts rotate miner-3 --withdraw'))
    .action((host: string, options: { withdraw?: boolean }) =>
      go(async (cli) => (await import('../commands/enroll.ts')).rotate(cli, host, options)),
    );

  program
    .command('enroll')
    .summary('a token that lets one host in, once')
    .description('Prints a token for `signalbox-agent join`. It works once, for this host, until it expires.')
    .argument('<host>', 'the name that the host will have')
    .option('--labels <name=value,...>', 'labels that runbooks match it by; may be repeated', collect)
    .option('--expires <duration>', 'how long it is open; at most 7d', '1h')
    .addHelpText('after', example('signalbox enroll miner-3 --labels role=miner --expires 1h'))
    .action((host: string, options: EnrollOptions) =>
      go(async (cli) => (await import('../commands/enroll.ts')).enroll(cli, host, options)),
    );

  const key = program
    .command('key')
    .summary('lock a key with a passphrase')
    .description('Locks and unlocks the key of a person, so that who steals the disk has none.')
    .addHelpText('after', example('signalbox key lock', 'signalbox key lock --file authority/operators.seed'));
  for (const [name, what] of [
    [
      'lock',
      'Encrypts the key with a passphrase, as age does. From then on every command that needs it asks for that.',
    ],
    ['unlock', 'Takes the passphrase off.'],
  ] as const) {
    key
      .command(name)
      .description(what)
      .option('--file <path>', 'another seed file, such as that of the authority (default: the one of the settings)')
      .addHelpText('after', example(`signalbox key ${name}`))
      .action((options: KeyOptions) => go(async (cli) => (await import('../commands/key.ts'))[name](cli, options)));
  }

  program
    .command('seal')
    .summary('encrypt a secret to one host')
    .description(
      'Prints a reference `sealed:...` that stands in a runbook or its parameters where a secret is wanted, and that no other host can open, nor the coordinator. The value comes from standard input or a file; one line end after it does not belong to it.',
    )
    .requiredOption('--host <host>', 'the only one that can open it')
    .option('--file <path>', 'where the value is (default: standard input)')
    .option('--key <key>', 'the key of the host, as the host itself names it; needed once, and known from then on')
    .addHelpText('after', example('signalbox seal --host node-1 < password'))
    .action((options: SealOptions) => go(async (cli) => (await import('../commands/seal.ts')).seal(cli, options)));

  program
    .command('init')
    .summary('keys, certificates and settings of a new mesh')
    .description('Makes a mesh in a folder: keys, an authority, the configuration of a nats-server with TLS, settings.')
    .requiredOption('--name <mesh>', 'name of the mesh, shown on every screen')
    .option('--dir <path>', 'the folder; it must not be there yet (default: the name of the mesh)')
    .option(
      '--server <name>',
      'name or address that hosts reach NATS at; may be repeated (default: this host)',
      collect,
    )
    .option('--port <port>', 'where NATS listens', '4222')
    .option('--operator <name>', 'name of the first operator, an admin (default: you)')
    .addHelpText('after', example('signalbox init --name prod --server nats.example.com'))
    .action((options: InitOptions) => go(async (cli) => (await import('../commands/init.ts')).init(cli, options)));

  program
    .command('certify')
    .summary("an operator's certificate, by the authority's key")
    .description(
      'Prints what hosts ask for before they act on a signed plan. Needs no mesh; --mesh names the one it is for.',
    )
    .argument('<name>', 'the operator, as in coordinator.yaml')
    .requiredOption('--key <public>', 'their public nkey (U...)')
    .requiredOption('--authority <file>', "the authority's seed, as `signalbox init` made it")
    .addOption(
      new Option('--role <role>', 'what hosts let them ask for').choices(['operator', 'admin']).default('operator'),
    )
    .option('--expires <duration>', 'how long it is good', '365d')
    .addHelpText('after', example('signalbox certify can --mesh prod --key UB3X... --authority operators.seed'))
    .action((name: string, options: CertifyOptions) =>
      go(async (cli) => (await import('../commands/certify.ts')).certify(cli, name, options)),
    );

  program
    .command('doctor')
    .summary('what is well and what is not, with what to do')
    .description('Looks from this terminal to the agents: settings, NATS, coordinator, clocks, hosts, runs.')
    .addHelpText('after', example('signalbox doctor'))
    .action(() => go(async (cli) => (await import('../commands/doctor.ts')).doctor(cli)));

  program
    .command('exec')
    .summary('run one program on some hosts')
    .description('Runs a program by its argv, without a shell, as a run of one step: in the log, at most once a host.')
    .argument('<argv...>', 'the program and its arguments, after --')
    .requiredOption('--hosts <names>', 'h1,h2 or LABEL=VALUE; may be repeated', collect)
    .addOption(
      new Option('--effect <effect>', 'what it does to the world')
        .choices(['read', 'idempotent', 'irreversible'])
        .default('irreversible'),
    )
    .option('--timeout <duration>', 'the program is ended after this time', '10m')
    .addHelpText('after', example('signalbox exec --hosts miner-1,miner-2 --effect read -- uptime'))
    .action((argv: string[], options: ExecOptions) =>
      go(async (cli) => (await import('../commands/exec.ts')).exec(cli, argv, options)),
    );

  program
    .command('probe')
    .summary('measure something on some hosts')
    .description('Samples a probe. With --until: again and again, judged like a gate, until it holds. Changes nothing.')
    .argument('<name>', 'the probe, such as systemd.unit')
    .requiredOption('--hosts <names>', 'h1,h2 or LABEL=VALUE; may be repeated', collect)
    .option('--with <name=value>', 'a field of the probe; may be repeated', collect)
    .option('--until <value.operator=want>', 'one comparison; may be repeated', collect)
    .option('--for <duration>', 'it must hold without a break for so long')
    .option('--every <duration>', 'time between two samples', '2s')
    .option('--timeout <duration>', 'give up after this time', '10m')
    .addHelpText(
      'after',
      example(
        'signalbox probe systemd.unit --hosts node-1 --with unit=remesd.service',
        "signalbox probe cometbft.status --hosts role=node --until 'height.rising=true' --for 30s",
      ),
    )
    .action((name: string, options: ProbeOptions) =>
      go(async (cli) => (await import('../commands/probe.ts')).probe(cli, name, options)),
    );

  program
    .command('explain')
    .summary('an action, a probe, a code, a finding or a trap')
    .description('Explains what is named, from the same data that the programs run on. Needs no mesh.')
    .argument('[topic]', 'systemd.stop, cometbft.status, SB-AGENT-SILENT, SB301, T05; left out: all of them')
    .addHelpText('after', example('signalbox explain SB-AGENT-SILENT', 'signalbox explain remesd.backup'))
    .action((topic: string | undefined) =>
      go(async (cli) => (await import('../commands/explain.ts')).explain(cli, topic)),
    );

  program
    .command('dev')
    .summary('a mesh on this machine, to try things out')
    .description(
      'Starts NATS, a coordinator and one agent for this host on loopback, each a process of its own. Ctrl-C ends all.',
    )
    .option('--dir <path>', 'where keys, settings and logs are kept', '.signalbox')
    .option('--name <host>', 'name of this host in the mesh', 'dev-1')
    .option('--label <name=value>', 'a label of this host; may be repeated', collect)
    .addHelpText('after', example('signalbox dev'))
    .action((options: DevOptions) => go(async (cli) => (await import('../commands/dev.ts')).dev(cli, options)));

  program
    .command('coordinator')
    .summary('run the coordinator (the daemon)')
    .description('Runs the daemon that owns runs, in the foreground. --config names coordinator.yaml.')
    .addHelpText('after', example('signalbox coordinator --config /etc/signalbox/coordinator.yaml'))
    .action(() => go(async (cli) => (await import('../commands/coordinator.ts')).coordinator(cli)));

  program
    .command('completion')
    .summary('a completion script for a shell')
    .description('Prints a script that completes commands and options.')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .addHelpText('after', example('eval "$(signalbox completion bash)"'))
    .action((shell: Shell) =>
      go(async (cli) => {
        cli.io.out(completionScript(program, shell));
        return EXIT.done;
      }),
    );
};
