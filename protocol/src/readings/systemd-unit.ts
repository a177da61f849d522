/**
 * Names that systemd accepts (systemd.unit(5)) and that cannot be read as an option: a unit's name comes from a runbook
 * and ends up in an argv.
 */
export const UNIT_PATTERN =
  /^[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]*\.(service|socket|timer|target|path|mount|slice|scope)$/;

/** What `systemctl show` says of one unit. A unit that systemd does not know is `loadState: not-found`, not an error. */
export interface UnitReading {
  loadState: string;
  activeState: string;
  subState: string;
  /** `enabled`, `disabled`, `masked-runtime`, ...; empty when there is no unit file. */
  unitFileState: string;
  /** The file that the unit was read from. */
  fragmentPath: string;
  /** 0 when no main process runs. */
  mainPid: number;
  /** Automatic restarts since somebody last started it. */
  restarts: number;
  /** Changes with each start; empty where systemd does not tell. */
  invocationId: string;
  /** When it was last started, by CLOCK_MONOTONIC; undefined when it was not in this boot. */
  startedMonotonicMs: number | undefined;
  /** Below the cgroup mount; empty when the unit has none. */
  controlGroup: string;
  /** Processes and threads; undefined where accounting is off. */
  tasks: number | undefined;
  /** The program that the unit starts; undefined when it starts none. */
  exec: { path: string; argv: string[] } | undefined;
  /** From the unit file and its drop-ins. May hold secrets: never log it, never return it whole. */
  environment: Record<string, string>;
  /** What EnvironmentFile= names, in that order. */
  environmentFiles: string[];
  /** Empty when the unit names none. */
  workingDirectory: string;
}

const PROPERTIES = [
  'LoadState',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'FragmentPath',
  'MainPID',
  'NRestarts',
  'InvocationID',
  'InactiveExitTimestampMonotonic',
  'ControlGroup',
  'TasksCurrent',
  'ExecStart',
  'Environment',
  'EnvironmentFiles',
  'WorkingDirectory',
];

/** The argv that asks for a unit; its output is for `readUnit`. */
export function showUnitArgv(unit: string): [string, ...string[]] {
  return ['systemctl', 'show', '--no-pager', `--property=${PROPERTIES.join(',')}`, '--', unit];
}

export function readUnit(stdout: string): UnitReading {
  const properties = new Map<string, string>();
  for (const line of stdout.split('\n')) {
    const at = line.indexOf('=');
    // ExecStart stands once for each command of a oneshot unit: the first is the program.
    if (at > 0 && !properties.has(line.slice(0, at))) properties.set(line.slice(0, at), line.slice(at + 1));
  }
  const text = (name: string) => properties.get(name) ?? '';
  const count = (name: string) => (/^\d{1,15}$/.test(text(name)) ? Number(text(name)) : undefined);
  const startedUs = count('InactiveExitTimestampMonotonic') ?? 0;
  return {
    loadState: text('LoadState'),
    activeState: text('ActiveState'),
    subState: text('SubState'),
    unitFileState: text('UnitFileState'),
    fragmentPath: text('FragmentPath'),
    mainPid: count('MainPID') ?? 0,
    restarts: count('NRestarts') ?? 0,
    invocationId: text('InvocationID'),
    startedMonotonicMs: startedUs > 0 ? startedUs / 1_000 : undefined,
    controlGroup: text('ControlGroup'),
    tasks: count('TasksCurrent'),
    exec: readExec(text('ExecStart')),
    environment: Object.fromEntries(
      splitWords(text('Environment')).flatMap((word) => {
        const at = word.indexOf('=');
        return at > 0 ? [[word.slice(0, at), word.slice(at + 1)]] : [];
      }),
    ),
    // One line for each file: `/etc/x.env (ignore_errors=no)`.
    environmentFiles: [...stdout.matchAll(/^EnvironmentFiles=(.+?) \(ignore_errors=(?:yes|no)\)$/gm)].map(
      ([, file = '']) => file,
    ),
    // `!` stands before a folder that may be missing.
    workingDirectory: text('WorkingDirectory').replace(/^!/, ''),
  };
}

/** The value of a command-line option, `--home X` or `--home=X`; the last one wins, as it does for Cobra programs. */
export function optionOf(argv: readonly string[], option: string): string | undefined {
  let found: string | undefined;
  for (const [i, word] of argv.entries()) {
    if (word === option) found = argv[i + 1];
    else if (word.startsWith(`${option}=`)) found = word.slice(option.length + 1);
  }
  return found;
}

/** systemd prints `{ path=/bin/x ; argv[]=/bin/x -a ; ignore_errors=no ; ... }`. */
function readExec(text: string): UnitReading['exec'] {
  const [, path, argv] = /^\{ path=(.*?) ; argv\[\]=(.*?) ; [a-z_]+=/.exec(text) ?? [];
  return path === undefined || argv === undefined ? undefined : { path, argv: splitWords(argv) };
}

/** Splits what systemd joined with blanks; words with blanks in them are in double quotes with backslash escapes. */
function splitWords(text: string): string[] {
  return [...text.matchAll(/(?:"(?:\\.|[^"\\])*"|\\.|[^\s"\\])+/g)].map(([word]) =>
    word.replace(/"((?:\\.|[^"\\])*)"|\\(.)/g, (_, quoted?: string, escaped?: string) =>
      quoted === undefined ? (escaped ?? '') : quoted.replace(/\\(.)/g, '$1'),
    ),
  );
}
