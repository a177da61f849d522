import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { pid } from 'node:process';
import type { ProcessGroup } from '../../ports.ts';
import { statOf } from '../processes.ts';
import { type PreparedExit, prepareExit } from './exit-file.ts';
import { passGate, spawnAtGate } from './gate.ts';
import { joinUnit } from './join-unit.ts';
import type { Exit, KeeperMessage, StartRequest } from './wire.ts';

const OUTPUT = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** What ends sooner is told of with its end. */
const SHORT_MS = 2;

/** Starts processes and waits for their end. */
export interface Keeper {
  /** Who keeps. */
  readonly self: ProcessGroup;
  start(request: StartRequest, tell: (message: KeeperMessage) => void): void;
  /** How many have not ended. */
  readonly running: number;
  onIdle(call: () => void): void;
}

export interface KeeperOptions {
  /** Puts a process into its unit. */
  join?: typeof joinUnit;
}

export function createKeeper({ join = joinUnit }: KeeperOptions = {}): Keeper {
  const self = { pid, startTicks: statOf(pid)?.startTicks };
  let running = 0;
  let idle = () => {};

  function start(request: StartRequest, tell: (message: KeeperMessage) => void): void {
    const { id, unit } = request;
    let startMs = performance.now();
    let prepared: PreparedExit;
    let child: ChildProcess;
    try {
      ({ prepared, child } = begin(request, self));
    } catch (error) {
      // Whoever used these files before may have done what is asked for now [I1].
      const again = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      const exit: Exit = { type: again ? 'lost' : 'not-started', reason: reasonOf(error) };
      tell({ type: 'ended', id, exit, process: undefined });
      return;
    }
    running += 1;
    const process = child.pid === undefined ? undefined : { pid: child.pid, startTicks: statOf(child.pid)?.startTicks };
    let ended = false;
    let telling: NodeJS.Timeout | undefined;
    const refusal = unit && process ? passGate(child, { ...request, unit, join, onOpen }) : Promise.resolve(undefined);
    // A process that ends at once is told of once. Whoever asked can tell neither from the other before it has heard.
    void refusal.then((refused) => {
      if (process && !refused && !ended) telling = setTimeout(tell, SHORT_MS, { type: 'started', id, ...process });
    });
    child.once('error', (error) => {
      // A kill that fails is an 'error' as well.
      if (process === undefined) end({ type: 'not-started', reason: reasonOf(error) }, undefined);
    });
    child.once('exit', async (exitCode, signal) => {
      const endMs = performance.now();
      const refused = await refusal;
      const durationMs = endMs - startMs;
      if (refused !== undefined) end(refused, undefined);
      else if (exitCode !== null) end({ type: 'exited', exitCode, durationMs }, process);
      else end({ type: 'signalled', signal: signal ?? '', durationMs }, process);
    });

    function onOpen(): void {
      startMs = performance.now();
    }

    function end(exit: Exit, process: ProcessGroup | undefined): void {
      if (ended) return;
      ended = true;
      clearTimeout(telling);
      // On disk before anybody is told: an agent that is told and dies finds it again. When the disk fails even that,
      // the agent that listens still hears the truth.
      try {
        prepared.write(exit);
      } catch {}
      tell({ type: 'ended', id, exit, process });
      running -= 1;
      if (running === 0) idle();
    }
  }

  return {
    self,
    start,
    get running() {
      return running;
    },
    onIdle(call) {
      idle = call;
    },
  };
}

/**
 * The process leads a session of its own and writes straight into its files. They must be new: the same start asked for
 * twice, by whatever mistake, is refused here [I1].
 */
function begin(request: StartRequest, self: ProcessGroup) {
  const { argv, env, cwd, stdin, files, unit } = request;
  const [file, ...args] = argv;
  const opened: number[] = [];
  try {
    for (const stream of ['out', 'err']) opened.push(openSync(`${files}.${stream}`, OUTPUT, 0o600));
    const [out, err] = opened;
    const prepared = prepareExit(files, self);
    const child = unit
      ? spawnAtGate(request, opened)
      : spawn(file, args, {
          detached: true,
          env: { ...env },
          stdio: [stdin === undefined ? 'ignore' : 'pipe', out, err],
          ...(cwd === undefined ? {} : { cwd }),
        });
    // It need not read it all.
    child.stdin?.on('error', () => {});
    child.stdin?.end(stdin);
    return { prepared, child };
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
