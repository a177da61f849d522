import { readFileSync } from 'node:fs';

export interface MirrorArguments {
  source: string;
  destination: string;
  /** Databases and collections; none: everything. */
  includes: string[];
  bookmarkFile: string | undefined;
  httpStatusPort: number | undefined;
  drop: boolean;
}

const TAKES_VALUE = [
  '--host',
  '--username',
  '--password',
  '--authenticationDatabase',
  '--destination',
  '--destinationUsername',
  '--destinationPassword',
  '--includeNamespace',
  '--includeDB',
  '--bookmarkFile',
  '--oplogPath',
  '--httpStatusPort',
  '--config',
];
const FLAGS = ['--drop', '--noIndexRestore', '--ssl'];

export function parseMirrorArguments(argv: readonly string[]): MirrorArguments | { wrong: string } {
  const values = new Map<string, string[]>();
  const flags = new Set<string>();
  const rest = argv.flatMap((word) =>
    /^--[a-zA-Z]+=/.test(word) ? [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)] : [word],
  );
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (FLAGS.includes(word)) flags.add(word);
    else if (TAKES_VALUE.includes(word)) values.set(word, [...(values.get(word) ?? []), rest.shift() ?? '']);
    else return { wrong: `unknown option ${word}` };
  }
  const one = (name: string) => values.get(name)?.at(-1);
  const config = one('--config');
  const passwords = config === undefined ? {} : readPasswords(config);
  const [host, destination, port] = [one('--host'), one('--destination'), one('--httpStatusPort')];
  if (host === undefined || destination === undefined) return { wrong: 'both --host and --destination are required' };
  return {
    source: uriOf(host, one('--username'), one('--password') ?? passwords.password),
    destination: uriOf(
      destination,
      one('--destinationUsername'),
      one('--destinationPassword') ?? passwords.destinationPassword,
    ),
    includes: [...(values.get('--includeDB') ?? []), ...(values.get('--includeNamespace') ?? [])],
    bookmarkFile: one('--bookmarkFile'),
    httpStatusPort: port === undefined ? undefined : Number(port),
    drop: flags.has('--drop'),
  };
}

/** `RS/h1:p,h2:p` */
function uriOf(given: string, user: string | undefined, password: string | undefined): string {
  const [set = '', hosts = ''] = given.split('/');
  const login = user === undefined ? '' : `${user}:${encodeURIComponent(password ?? '')}@`;
  return `mongodb://${login}${hosts}/?replicaSet=${set}&authSource=admin`;
}

/** `password: x` and `destinationPassword: y`: all that the file may hold, besides the URIs. */
function readPasswords(path: string): Record<string, string | undefined> {
  const lines = readFileSync(path, 'utf8').split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/:\s*/, 2)).filter(([, value]) => value !== undefined));
}
