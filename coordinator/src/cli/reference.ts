import { EXIT_MEANINGS } from './exit-codes.ts';
import { buildProgram } from './program.ts';

/** The text of docs/reference/cli.md, made from commander's own help. A test compares, and writes it anew with `-u`. */
export function cliReference(): string {
  let text = '';
  const program = buildProgram({
    version: '0.0.0',
    output: { writeOut: (part) => (text += part), getOutHelpWidth: () => 100, getOutHasColors: () => false },
    go: async () => {},
  });
  const helpOf = (command: typeof program): string => {
    text = '';
    command.outputHelp();
    return text.trim();
  };
  const block = (help: string) => ['```text', help, '```', ''];
  return [
    '# The command line',
    '',
    'Made from the code; change the commands, not this page.',
    '',
    ...block(helpOf(program)),
    '## Exit codes',
    '',
    '| code | meaning |',
    '| --- | --- |',
    ...EXIT_MEANINGS.map(([code, means]) => `| ${code} | ${means} |`),
    '',
    '## Settings',
    '',
    'The first that is found: `--config`, `$SIGNALBOX_CONFIG`, `./signalbox.yaml`, `~/.config/signalbox/MESH.yaml` when a mesh',
    'is named, `~/.config/signalbox/config.yaml`.',
    '',
    '| key | meaning |',
    '| --- | --- |',
    '| `mesh` | name of the mesh; `--mesh` and `SIGNALBOX_MESH` must agree with it |',
    '| `servers` | addresses of NATS, `nats://127.0.0.1:4222` |',
    '| `seedFile` | nkey seed of this person, mode 0600; relative to the settings file |',
    '| `jwtFile` | optional: user JWT or creds file, for a NATS that knows its users by JWT; the key is that of `seedFile` |',
    '| `operator` | the name that coordinator.yaml gives to that key |',
    '| `caFile` | optional: authorities in PEM for the server’s certificate; given, NATS is reached over TLS only |',
    '| `coordinators` | public keys whose answers are believed |',
    '| `authority` | optional: public key (`A...`) of who vouches for operators; hosts that are enrolled from here get it |',
    '| `certificateFile` | optional: the authority’s word for this person, from `signalbox certify`; hosts want it with a signed plan or approval |',
    '',
    'Colour is used on a terminal only; `NO_COLOR` switches it off. `SIGNALBOX_DEBUG=1` adds stack traces to errors.',
    '',
    ...program.commands.flatMap((command) => {
      // The options that all commands share are told once, above.
      const [own = ''] = helpOf(command).split('\nGlobal Options:');
      const example = /\nExample:[\s\S]*$/.exec(helpOf(command))?.[0] ?? '';
      return [`## ${command.name()}`, '', ...block(`${own.trim()}\n${example}`.trim())];
    }),
  ].join('\n');
}
