/** A `systemctl` command line, taken apart. */
export interface SystemctlCall {
  verb: string;
  units: string[];
  properties: string[];
  value: boolean;
  runtime: boolean;
  now: boolean;
  quiet: boolean;
  signal: NodeJS.Signals;
}

const TAKES_VALUE = ['-p', '--property', '-s', '--signal', '-n', '--lines', '-o', '--output', '-t', '--type'];

/** About the form of the output; the lab prints one form. */
const WITHOUT_EFFECT = [
  '--no-pager',
  '--system',
  '--plain',
  '--full',
  '-l',
  '--no-ask-password',
  '-a',
  '--all',
  '-f',
  '--force',
];
const SIGNALS: NodeJS.Signals[] = ['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGHUP', 'SIGABRT', 'SIGSTOP', 'SIGCONT'];

/** @returns the offending option when there is one that systemctl does not have (or that the lab's units need not). */
export function parseSystemctl(argv: readonly string[]): SystemctlCall | { unknown: string } {
  const call: SystemctlCall = {
    verb: '',
    units: [],
    properties: [],
    value: false,
    runtime: false,
    now: false,
    quiet: false,
    signal: 'SIGTERM',
  };
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') continue;
    if (!word.startsWith('-')) {
      if (call.verb === '') call.verb = word;
      else call.units.push(withSuffix(word));
      continue;
    }
    const [option = '', inline] = splitOption(word);
    const given = TAKES_VALUE.includes(option) ? (inline ?? rest.shift() ?? '') : undefined;
    if (!apply(call, option, given)) return { unknown: option };
  }
  return call;
}

function apply(call: SystemctlCall, option: string, given: string | undefined): boolean {
  switch (option) {
    case '-p':
    case '--property':
      call.properties.push(...(given ?? '').split(',').filter((name) => name !== ''));
      return true;
    case '--value':
      call.value = true;
      return true;
    case '--runtime':
      call.runtime = true;
      return true;
    case '--now':
      call.now = true;
      return true;
    case '-q':
    case '--quiet':
      call.quiet = true;
      return true;
    case '-s':
    case '--signal':
      call.signal = SIGNALS.find((signal) => signal === given || signal === `SIG${given}`) ?? call.signal;
      return true;
    case '--version':
      call.verb = '--version';
      return true;
    default:
      return WITHOUT_EFFECT.includes(option) || TAKES_VALUE.includes(option);
  }
}

/** `--property=A` and `-pA` as well as `-p A`. */
function splitOption(word: string): [string, string | undefined] {
  if (word.startsWith('--')) {
    const at = word.indexOf('=');
    return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
  }
  return word.length > 2 ? [word.slice(0, 2), word.slice(2)] : [word, undefined];
}

function withSuffix(name: string): string {
  return /\.(service|target|socket|timer|mount|scope|slice)$/.test(name) ? name : `${name}.service`;
}
