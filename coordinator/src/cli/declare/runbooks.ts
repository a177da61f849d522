import { type Command, Option } from 'commander';
import { collect } from '../arguments-collect.ts';
import type { PlanOptions } from '../commands/plan.ts';
import type { RehearseOptions } from '../commands/rehearse.ts';
import type { SimulateOptions } from '../commands/simulate.ts';
import type { StartOptions } from '../commands/start.ts';
import type { UndoOptions } from '../commands/undo.ts';
import { type Declare, example, NOTE } from '../declare.ts';

/** From a runbook's text to a run. */
export const runbookCommands: Declare = (program, go) => {
  program
    .command('check')
    .summary('prove what can be proven of a runbook, offline')
    .description(
      'Checks a runbook without a mesh: its text, names, types and references, and that no order in it is unsafe.',
    )
    .argument('<file>', 'the runbook')
    .addHelpText('after', example('signalbox check runbooks/r3mes/node-upgrade.yaml'))
    .action((file: string) => go(async (cli) => (await import('../commands/check.ts')).check(cli, file)));

  planOptions(
    program
      .command('plan')
      .summary('resolve a runbook against live hosts, and look at them')
      .description(
        'Makes a plan: the runbook with its parameters, bound to enrolled hosts, each of which is looked at. Changes nothing.',
      )
      .argument('<file>', 'the runbook'),
  )
    .option('--out <path>', 'write the plan that is reviewed, signed and started (mode 0600)')
    .addOption(new Option('--format <format>', 'how it is shown').choices(['text', 'md', 'json']).default('text'))
    .option('--by-hand', 'argv a step a host instead: what to do if Signalbox itself dies')
    .addHelpText('after', example('signalbox plan node-upgrade.yaml --params prod.yaml --out upgrade.plan'))
    .action((file: string, options: PlanOptions) =>
      go(async (cli) => (await import('../commands/plan.ts')).plan(cli, file, options)),
    );

  planOptions(
    program
      .command('rehearse')
      .summary('every check and probe of a runbook on its real hosts, changing nothing')
      .description(
        'Says of each step on each host whether it could be done now, what is missing, and how long it and the downtime ' +
          'took in earlier runs. Exits with 1 when something is missing.',
      )
      .argument('<file>', 'the runbook'),
  )
    .option('--watch', 'look again every 10 s until Ctrl-C')
    .addHelpText('after', example('signalbox rehearse node-upgrade.yaml --params prod.yaml --watch'))
    .action((file: string, options: RehearseOptions) =>
      go(async (cli) => (await import('../commands/rehearse.ts')).rehearse(cli, file, options)),
    );

  planOptions(
    program
      .command('simulate')
      .summary('run a runbook through bad days, touching no host')
      .description(
        'Runs a runbook on simulated hosts, with the real coordinator and agents, and says for each step what happens if its host dies there.',
      )
      .argument('<file>', 'the runbook'),
  )
    .option('--seeds <n>', 'how many days', '400')
    .option('--from <seed>', 'the first of them', '1')
    .option('--seed <seed>', 'one day, with everything that happens in it')
    .option('--catalogue <file>', 'actions and probes besides those of this version, as JSON')
    .addHelpText('after', example('signalbox simulate node-upgrade.yaml --params prod.yaml --seeds 1000'))
    .action((file: string, options: SimulateOptions) =>
      go(async (cli) => (await import('../commands/simulate.ts')).simulate(cli, file, options)),
    );

  planOptions(
    program
      .command('start')
      .summary('begin a run of a plan, and follow it')
      .description(
        'Starts a plan exactly as it was reviewed. Refused when the hosts have drifted from it, unless that is accepted.',
      )
      .argument('<file>', 'a plan, or a runbook that is planned on the spot'),
  )
    .option('--detach', 'do not follow the run')
    .option('--yes', 'do not ask to type the name of the runbook (for scripts)')
    .option('--accept-drift', 'start although the hosts are not as they were; wants --note')
    .option('--note <text>', NOTE)
    .option('--start-id <id>', 'of a start that was not answered: the same id begins one run, however often it is said')
    .addHelpText('after', example('signalbox start upgrade.plan'))
    .action((file: string, options: StartOptions) =>
      go(async (cli) => (await import('../commands/start.ts')).start(cli, file, options)),
    );

  program
    .command('undo')
    .summary('take back a run that is over, by a new run made from its receipts')
    .description(
      'Plans the way back of an earlier run, looks at its hosts, and starts it as a run of its own, behind an approval. ' +
        'Refused, with every reason, when something in it has no way back, or when that would lose what was written since.',
    )
    .argument('<run>', 'the earlier run, as in node-upgrade-3')
    .option('--out <path>', 'write the plan instead of starting it (mode 0600)')
    .option('--accept-loss', 'take back what would destroy data written since; wants --note')
    .option('--detach', 'do not follow the run')
    .option('--yes', 'do not ask to type the name of the plan (for scripts)')
    .option('--note <text>', NOTE)
    .addHelpText('after', example('signalbox undo r3mes-backend-upgrade-1'))
    .action((run: string, options: UndoOptions) =>
      go(async (cli) => (await import('../commands/undo.ts')).undo(cli, run, options)),
    );
};

function planOptions(command: Command): Command {
  return command
    .option('--params <file>', 'values of the parameters, as YAML')
    .option('-p, --param <name=value>', 'one parameter; outranks the file; may be repeated', collect)
    .option('--hosts <role=h1,h2>', 'hosts of a role instead of its labels; may be repeated', collect)
    .option('--without <host>', 'go on without this host; may be repeated', collect)
    .addOption(new Option('--on-failure <what>', 'instead of what the runbook says').choices(['rollback', 'hold']));
}
