import type { ProcessGroup } from '../../ports.ts';

/**
 * What agent and keeper say to each other: one JSON object a line, over a socket in a folder that only their user may
 * enter. It is part of the socket's name, so that after an upgrade nobody talks to a keeper of another version.
 */
export const KEEPER_VERSION = 2;
export const SOCKET_NAME = `keeper-${KEEPER_VERSION}.sock`;
/** What a keeper prints once it can be connected to. */
export const READY = 'ready\n';

/** A transient unit that a process is to be in from its first instruction on. Anybody on the host may read this. */
export interface UnitRequest {
  name: string;
  description: string;
  slice: string;
  /** When the host goes down, stopped after this one. */
  before?: string | undefined;
  /** Address of the bus on which the service manager answers. */
  bus: string;
}

/** A process to be started. */
export interface StartRequest {
  /** Tells answers apart, within one connection. */
  id: number;
  argv: readonly [string, ...string[]];
  env: Readonly<Record<string, string>>;
  cwd?: string | undefined;
  stdin?: string | undefined;
  /** Its files: this path with `.out`, `.err` and `.exit`. A path is used once and never again. */
  files: string;
  unit?: UnitRequest | undefined;
}

/** How a process ended. */
export type Exit =
  | { type: 'exited'; exitCode: number; durationMs: number }
  | { type: 'signalled'; signal: string; durationMs: number }
  /** Nothing was run; `reason` says why. */
  | { type: 'not-started'; reason: string }
  /** Nothing was run, because the service manager gave it no unit. */
  | { type: 'no-unit'; reason: string }
  /** It was started, perhaps, and nobody knows how it ended. */
  | { type: 'lost'; reason: string };

export type KeeperMessage =
  /** The first one: who keeps. */
  | ({ type: 'keeper' } & ProcessGroup)
  | ({ type: 'started'; id: number } & ProcessGroup)
  | { type: 'ended'; id: number; exit: Exit; process: ProcessGroup | undefined };

/** Splits what comes over a socket into its lines. */
export function lineReader(take: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  };
}

export const lineOf = (message: KeeperMessage | StartRequest): string => `${JSON.stringify(message)}\n`;

/** Read by hand: a schema library would be half of what a keeper weighs. @throws Error */
export function readRequest(line: string): StartRequest {
  const { id, argv, env, cwd, stdin, files, unit } = recordOf(JSON.parse(line));
  const [program, ...args] = Array.isArray(argv) ? argv.filter(isText) : [];
  if (typeof id !== 'number' || program === undefined || !isText(files))
    throw new Error('no request to start a process');
  const variables = Object.entries(recordOf(env)).filter((entry): entry is [string, string] => isText(entry[1]));
  return {
    id,
    argv: [program, ...args],
    env: Object.fromEntries(variables),
    cwd: textOf(cwd),
    stdin: textOf(stdin),
    files,
    unit: unit === undefined ? undefined : readUnit(unit),
  };
}

function readUnit(value: unknown): UnitRequest {
  const { name, description, slice, before, bus } = recordOf(value);
  if (!isText(name) || !isText(description) || !isText(slice) || !isText(bus)) throw new Error('no unit of a process');
  return { name, description, slice, before: textOf(before), bus };
}

/** @throws Error */
export function readMessage(line: string): KeeperMessage {
  const { type, id, pid, startTicks, exit, process } = recordOf(JSON.parse(line));
  if (type === 'keeper' && typeof pid === 'number') return { type, pid, startTicks: textOf(startTicks) };
  if (typeof id !== 'number') throw new Error('no message of a keeper');
  if (type === 'started' && typeof pid === 'number') return { type, id, pid, startTicks: textOf(startTicks) };
  if (type === 'ended') return { type, id, exit: readExit(exit), process: groupOf(process) };
  throw new Error('no message of a keeper');
}

function groupOf(value: unknown): ProcessGroup | undefined {
  if (value === undefined) return undefined;
  const { pid, startTicks } = recordOf(value);
  return typeof pid === 'number' ? { pid, startTicks: textOf(startTicks) } : undefined;
}

/** @throws Error */
export function readExit(value: unknown): Exit {
  const { type, exitCode, signal, durationMs, reason } = recordOf(value);
  if (type === 'exited' && typeof exitCode === 'number') return { type, exitCode, durationMs: Number(durationMs) };
  if (type === 'signalled' && isText(signal)) return { type, signal, durationMs: Number(durationMs) };
  if ((type === 'not-started' || type === 'no-unit' || type === 'lost') && isText(reason)) return { type, reason };
  throw new Error('no exit of a process');
}

export function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error('not an object');
  return { ...value };
}

const isText = (value: unknown): value is string => typeof value === 'string';
export const textOf = (value: unknown): string | undefined => (isText(value) ? value : undefined);
