import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** The last line is one JSON object; everything else goes to standard error. */
  json: boolean;
  /** The mesh stays up at the end until Ctrl-C, with commands to play with. */
  keep: boolean;
}

export const USAGE = `npm run demo [-- --json] [-- --keep]

Upgrades a chain node and its three miners across four hosts, then does it again with a release that crash-loops,
kills its own coordinator in the middle of the undo, and counts from the hosts' own files what became of it.
Everything runs on loopback, in a temporary folder, as this user: a mesh as \`signalbox init\` makes it, whose hosts have joined
by tokens and have policies.

  --json   one JSON object as the last line of standard output
  --keep   leave the mesh up and print commands to play with; Ctrl-C ends it
  --help   this text

Example: npm run demo -- --keep
`;

/** @throws TypeError with a plain sentence when an option is not known. */
export function readOptions(argv: readonly string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: { json: { type: 'boolean' }, keep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return 'help';
  return { json: values.json ?? false, keep: values.keep ?? false };
}
