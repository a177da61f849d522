import { groupMembers } from './processes.ts';
import type { SupervisedUnit } from './supervised-unit.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `Fri 2026-11-20 10:44:13 UTC` */
function timestamp(ms: number | undefined): string {
  if (ms === undefined) return '';
  const date = new Date(ms);
  return `${DAYS[date.getUTCDay()]} ${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

const quoted = (word: string) => (/[\s"']/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word);

function execStart({ file, main }: SupervisedUnit): string {
  if (file.execStart.length === 0) return '';
  const code = main === undefined || main.code === 0 ? '(null)' : main.code === 1 ? 'exited' : 'killed';
  return [
    `{ path=${file.execStart[0]}`,
    `argv[]=${file.execStart.map(quoted).join(' ')}`,
    'ignore_errors=no',
    `start_time=[${timestamp(main?.startedAtMs) || 'n/a'}]`,
    `stop_time=[${timestamp(main?.exitedAtMs) || 'n/a'}]`,
    `pid=${main?.pid ?? 0}`,
    `code=${code}`,
    `status=${code === '(null)' ? '0/0' : main?.status} }`,
  ].join(' ; ');
}

function tasks(unit: SupervisedUnit): string {
  return unit.mainPid === 0 ? '[not set]' : String(groupMembers(unit.mainPid).length);
}

/** A line for each of them. */
function environmentFiles({ file }: SupervisedUnit): string {
  const shown = file.environmentFiles.map((path) =>
    path.startsWith('-') ? `${path.slice(1)} (ignore_errors=yes)` : `${path} (ignore_errors=no)`,
  );
  return shown.join('\nEnvironmentFiles=');
}

/**
 * In this order, whatever order is asked for: `systemctl show` prints properties as the manager sends them. A reader that
 * counts on its own order with `--value` must fail here as it would on a real host.
 */
const PROPERTIES: Record<string, (unit: SupervisedUnit) => string> = {
  Type: () => 'simple',
  Restart: ({ file }) => file.restart,
  RestartUSec: ({ file }) => (file.restartMs >= 1000 ? `${file.restartMs / 1000}s` : `${file.restartMs}ms`),
  MainPID: (unit) => String(unit.mainPid),
  Result: ({ result }) => result,
  NRestarts: ({ restarts }) => String(restarts),
  ExecMainStartTimestamp: ({ main }) => timestamp(main?.startedAtMs),
  ExecMainExitTimestamp: ({ main }) => timestamp(main?.exitedAtMs),
  ExecMainPID: ({ main }) => String(main?.pid ?? 0),
  ExecMainCode: ({ main }) => String(main?.code ?? 0),
  ExecMainStatus: ({ main }) => String(main?.status ?? 0),
  ExecStart: execStart,
  ControlGroup: () => '',
  MemoryCurrent: () => '[not set]',
  TasksCurrent: tasks,
  Environment: ({ file }) => file.environment.map(quoted).join(' '),
  EnvironmentFiles: environmentFiles,
  WorkingDirectory: ({ file }) => file.workingDirectory,
  User: ({ file }) => file.user,
  Id: ({ file }) => file.name,
  Names: ({ file }) => file.name,
  Description: ({ file }) => file.description,
  LoadState: ({ file }) => file.loadState,
  ActiveState: ({ state }) => state.active,
  SubState: ({ state }) => state.sub,
  FragmentPath: ({ file }) => file.fragmentPath,
  DropInPaths: ({ file }) => file.dropInPaths.join(' '),
  UnitFileState: ({ file }) => file.unitFileState,
  InactiveExitTimestampMonotonic: ({ main }) => String(main?.startedMonotonicUs ?? 0),
  NeedDaemonReload: () => 'no',
  InvocationID: ({ invocationId }) => invocationId,
};

export function show(unit: SupervisedUnit, { names, value }: { names: readonly string[]; value: boolean }): string {
  return Object.entries(PROPERTIES)
    .filter(([name]) => names.length === 0 || names.includes(name))
    .map(([name, read]) => (value ? `${read(unit)}\n` : `${name}=${read(unit)}\n`))
    .join('');
}

export function status(unit: SupervisedUnit): string {
  const { file, state, main } = unit;
  const mark = state.active === 'active' ? '●' : state.active === 'failed' ? '×' : '○';
  const lines = [
    `${mark} ${file.name} - ${file.description}`,
    `     Loaded: ${file.loadState} (${file.fragmentPath}; ${file.unitFileState}; preset: enabled)`,
    `     Active: ${state.active} (${state.sub}) since ${timestamp(main?.exitedAtMs ?? main?.startedAtMs) || 'n/a'}`,
  ];
  if (unit.mainPid !== 0) lines.push(`   Main PID: ${unit.mainPid}`, `      Tasks: ${tasks(unit)}`);
  return `${lines.join('\n')}\n`;
}
