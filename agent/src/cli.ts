import { Command } from 'commander';

/** What the command line asks for. */
export type Invocation =
  | { type: 'serve'; config: string }
  | { type: 'join'; token: string; dir: string; stateDir: string; policy: boolean }
  | {
      type: 'journal';
      config: string | undefined;
      stateDir: string | undefined;
      run: string | undefined;
      json: boolean;
    };

const SERVE_HELP = `
Examples:
  signalbox-agent --config /etc/signalbox/agent.yaml
  signalbox-agent journal --config /etc/signalbox/agent.yaml --run node-upgrade-3

Exit codes: 0 stopped on request; 2 bad usage or configuration, or another agent has this name or state folder; 4 the mesh
does not accept this host; 1 anything else. While NATS cannot be reached the agent waits and says so.`;

const JOIN_HELP = `
Example:
  signalbox-agent join --token -

The key of this host is made here and never leaves it. A token works once, for its host, until it expires. Nothing is
written over. policy.yaml allows what the role of this host needs (label role), without exec.run; it is for you to change. Exit codes: 0 joined; 1 refused; 2 bad usage; 4 the mesh cannot be reached, or the token is not open.`;

const JOURNAL_HELP = `
Examples:
  signalbox-agent journal --config /etc/signalbox/agent.yaml
  signalbox-agent journal --state /var/lib/signalbox/agent --run node-upgrade-3 --json

Needs no mesh and changes nothing. Exit codes: 0; 1 the journal is damaged or missing; 2 bad usage.`;

/** The command line; what it is asked for is handed to `ask`. */
export function buildCli(version: string, ask: (invocation: Invocation) => void): Command {
  const program = new Command('signalbox-agent');
  program
    .description('The Signalbox agent: carries out steps on this host, samples probes, reports health.')
    .version(version)
    .exitOverride()
    .option('--config <file>', 'agent.yaml')
    .addHelpText('after', SERVE_HELP)
    .action(({ config }: { config?: string }) => {
      if (config === undefined) return program.error("error: required option '--config <file>' not specified");
      ask({ type: 'serve', config });
    });
  program
    .command('join')
    .description('Join a mesh with a token: makes this host its key and its settings.')
    .requiredOption('--token <token>', 'what `signalbox enroll` printed; - reads it from standard input')
    .option('--dir <dir>', 'where agent.yaml, the key and the authority are written', '/etc/signalbox')
    .option('--state <dir>', 'the state folder', '/var/lib/signalbox/agent')
    .option('--no-policy', 'write no policy.yaml: every action, path and command is allowed on this host')
    .addHelpText('after', JOIN_HELP)
    .action(({ token, dir, state, policy }: JoinFlags) => ask({ type: 'join', token, dir, stateDir: state, policy }));
  const journal = program
    .command('journal')
    .description('Show what this host was asked, began and ended; offline.')
    .option('--config <file>', 'agent.yaml, to find the state folder')
    .option('--state <dir>', 'the state folder itself')
    .option('--run <run>', 'only this run')
    .option('--json', 'one JSON object')
    .addHelpText('after', JOURNAL_HELP)
    .action((_: unknown, command: Command) => {
      const { config, state, run, json } = command.optsWithGlobals<JournalFlags>();
      if (config === undefined && state === undefined) journal.error('error: give --config <file> or --state <dir>');
      ask({ type: 'journal', config, stateDir: state, run, json: json ?? false });
    });
  return program;
}

/**
 * Parses a command line (without node and script).
 * @throws CommanderError for bad usage, and for --help and --version after they have printed.
 */
export function parseCli(argv: readonly string[], version: string): Invocation {
  let invocation: Invocation | undefined;
  buildCli(version, (asked) => {
    invocation = asked;
  }).parse(argv, { from: 'user' });
  if (invocation === undefined) throw new Error('the command line asked for nothing');
  return invocation;
}

interface JoinFlags {
  token: string;
  dir: string;
  state: string;
  policy: boolean;
}

interface JournalFlags {
  config?: string;
  state?: string;
  run?: string;
  json?: boolean;
}
