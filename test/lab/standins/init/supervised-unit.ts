import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type HostPaths, hostPath } from '../../paths.ts';
import { startedLine } from '../journalctl.ts';
import { emptyGroup, signalGroup } from './processes.ts';
import { readEnvironmentFile, type UnitFile } from './unit-file.ts';

export type UnitState =
  | { active: 'inactive'; sub: 'dead' }
  | { active: 'active'; sub: 'running' }
  | { active: 'activating'; sub: 'auto-restart' }
  | { active: 'deactivating'; sub: 'stop-sigterm' | 'stop-sigkill' }
  | { active: 'failed'; sub: 'failed' };

/** Facts of the newest main process; systemd keeps them after it has ended. */
export interface MainProcess {
  pid: number;
  startedAtMs: number;
  startedMonotonicUs: number;
  exitedAtMs?: number;
  /** As in `systemctl show`: 1 exited, 2 killed by a signal, 0 still running. */
  code: 0 | 1 | 2;
  status: number;
}

/** What an exit means to systemd: these signals count as a clean end of a service, systemd.service(5). */
const CLEAN_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGPIPE'];
const SIGNAL_NUMBERS: Record<string, number> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGPIPE: 13,
  SIGTERM: 15,
};
/** Exit status that systemd gives a service whose program could not be executed. */
const EXIT_EXEC = 203;

const monotonicUs = () => Number(process.hrtime.bigint() / 1_000n);

/** One service under supervision: started, watched, restarted, and stopped with everything it started. */
export class SupervisedUnit {
  file: UnitFile;
  state: UnitState = { active: 'inactive', sub: 'dead' };
  main: MainProcess | undefined;
  restarts = 0;
  /** Another one for each start, automatic ones included. */
  invocationId = '';
  result: 'success' | 'exit-code' | 'signal' | 'timeout' = 'success';

  readonly #paths: HostPaths;
  #restartTimer: NodeJS.Timeout | undefined;
  #killTimer: NodeJS.Timeout | undefined;
  #stopped: (() => void)[] = [];

  constructor(paths: HostPaths, file: UnitFile) {
    this.#paths = paths;
    this.file = file;
  }

  get mainPid(): number {
    return this.main?.code === 0 ? this.main.pid : 0;
  }

  /** By hand: the count of automatic restarts begins anew, as with systemd. */
  start(): void {
    if (this.state.active === 'active') return;
    clearTimeout(this.#restartTimer);
    this.restarts = 0;
    this.result = 'success';
    this.#spawn();
  }

  /** Resolves when nothing of the unit runs any more: asked to end, then killed when `timeoutMs` have passed. */
  stop(timeoutMs = this.file.stopTimeoutMs): Promise<void> {
    clearTimeout(this.#restartTimer);
    if (this.mainPid === 0) {
      if (this.state.active !== 'failed') this.state = { active: 'inactive', sub: 'dead' };
      return Promise.resolve();
    }
    const done = new Promise<void>((resolve) => {
      this.#stopped.push(resolve);
    });
    if (this.state.active !== 'deactivating') {
      this.state = { active: 'deactivating', sub: 'stop-sigterm' };
      signalGroup(this.mainPid, 'SIGTERM');
      this.#killTimer = setTimeout(() => this.#kill(), timeoutMs);
    }
    return done;
  }

  /** `systemctl kill`: the unit is not told, so that its restart policy applies. */
  signal(signal: NodeJS.Signals): void {
    if (this.mainPid !== 0) signalGroup(this.mainPid, signal);
  }

  resetFailed(): void {
    this.restarts = 0;
    if (this.state.active === 'failed') this.state = { active: 'inactive', sub: 'dead' };
  }

  #kill(): void {
    this.state = { active: 'deactivating', sub: 'stop-sigkill' };
    this.result = 'timeout';
    signalGroup(this.mainPid, 'SIGKILL');
  }

  #spawn(): void {
    const [program, ...args] = this.file.execStart;
    if (program === undefined) {
      this.#ended(EXIT_EXEC, null);
      return;
    }
    mkdirSync(this.#paths.logs, { recursive: true });
    const log = openSync(join(this.#paths.logs, `${this.file.name}.log`), 'a');
    this.invocationId = randomUUID().replaceAll('-', '');
    // Where `journalctl` of this host finds the beginning of an invocation.
    writeSync(log, `${startedLine(this.file.description, this.invocationId)}\n`);
    const environment = this.#environment();
    // A group of its own, so that a stop reaches all that the service starts.
    const child = spawn(program, args, {
      detached: true,
      cwd: this.file.workingDirectory || this.#paths.root,
      env: { PATH: hostPath(this.#paths), ...Object.fromEntries(environment.map(assignment)) },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.main = { pid: child.pid ?? 0, startedAtMs: Date.now(), startedMonotonicUs: monotonicUs(), code: 0, status: 0 };
    this.state = { active: 'active', sub: 'running' };
    child.once('error', () => this.#ended(EXIT_EXEC, null));
    child.once('exit', (code, signal) => this.#ended(code, signal));
  }

  /** Files after the unit's own, so that they win, systemd.exec(5). */
  #environment(): string[] {
    const { environment, environmentFiles } = this.file;
    return [...environment, ...environmentFiles.flatMap(readEnvironmentFile)];
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    const stopping = this.state.active === 'deactivating';
    const pid = this.main?.pid ?? 0;
    clearTimeout(this.#killTimer);
    this.main = {
      pid,
      startedAtMs: this.main?.startedAtMs ?? Date.now(),
      startedMonotonicUs: this.main?.startedMonotonicUs ?? monotonicUs(),
      exitedAtMs: Date.now(),
      code: signal === null ? 1 : 2,
      status: signal === null ? (code ?? 0) : (SIGNAL_NUMBERS[signal] ?? 0),
    };
    const clean = signal === null ? code === 0 : CLEAN_SIGNALS.includes(signal);
    if (this.result !== 'timeout') this.result = clean ? 'success' : signal === null ? 'exit-code' : 'signal';
    if (!stopping && this.#restartsAfter(clean)) this.#restartLater();
    else
      this.state =
        this.result === 'success' ? { active: 'inactive', sub: 'dead' } : { active: 'failed', sub: 'failed' };
    const waiting = this.#stopped.splice(0);
    emptyGroup(pid).then(() => {
      for (const resolve of waiting) resolve();
    });
  }

  #restartsAfter(clean: boolean): boolean {
    return this.file.restart === 'always' || (this.file.restart === 'on-failure' && !clean);
  }

  /** Without a start limit: units that set StartLimitIntervalSec=0 crash for ever, which is what hides a crash loop. */
  #restartLater(): void {
    this.state = { active: 'activating', sub: 'auto-restart' };
    this.#restartTimer = setTimeout(() => {
      this.restarts += 1;
      this.#spawn();
    }, this.file.restartMs);
  }
}

function assignment(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
