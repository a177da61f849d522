import { type HostRecord, type LogEntry, type ReplyBody, SignalboxError, subjectToken } from '@signalbox/protocol';
import { isEnded } from '@signalbox/sequencer';
import type { RunInput } from '../screens/model.ts';
import type { UndoTimes } from '../screens/undo-time.ts';
import type { MeshClient } from './client.ts';
import { earlierUndos } from './earlier-runs.ts';
import { isAway } from './errors.ts';
import { RunLog } from './run-log.ts';

/**
 * One run as it goes on: its log, its newest samples, its hosts. Status events only say "look now"; what is shown is
 * always read from the log. A coordinator that dies is waited for, and what was last known stays.
 */
export class RunFeed {
  readonly log: RunLog;
  readonly #client: MeshClient;
  readonly #wake: Wake;
  #unsubscribe: () => Promise<void> = async () => {};
  #live: ReplyBody<'live'> | undefined;
  #hosts: readonly HostRecord[] = [];
  #hostsAtMs = 0;
  /** The coordinator's clock minus the operator's. */
  #aheadMs = 0;
  #away = false;
  #undoTimes: UndoTimes | undefined;

  private constructor(client: MeshClient, log: RunLog, wake: Wake) {
    this.#client = client;
    this.#wake = wake;
    this.log = log;
  }

  /** Listens first and reads then, so that nothing can happen in between unseen. */
  static async open(client: MeshClient, run: string): Promise<RunFeed> {
    const wake = new Wake();
    const ours = `.${subjectToken(run)}`;
    const unsubscribe = await client.onStatus((subject) => {
      if (subject.endsWith(ours)) wake.wake();
    });
    try {
      const feed = new RunFeed(client, await RunLog.open(client, run), wake);
      feed.#unsubscribe = unsubscribe;
      return feed;
    } catch (error) {
      await unsubscribe();
      throw error;
    }
  }

  get away(): boolean {
    return this.#away;
  }

  get ended(): boolean {
    return isEnded(this.log.state);
  }

  /** Looks again; returns what is new in the log. Never throws because nobody answers. */
  async refresh(look: { live: boolean }): Promise<readonly LogEntry[]> {
    try {
      const fresh = await this.log.refresh();
      if (look.live && !this.ended) await this.#lookAtLive();
      this.#away = false;
      return fresh;
    } catch (error) {
      if (!isAway(error)) throw error;
      this.#away = true;
      return [];
    }
  }

  async #lookAtLive(): Promise<void> {
    // Earlier runs do not change: looked at once.
    this.#undoTimes ??= await earlierUndos(this.#client, this.log.state.plan.runbook.name);
    const [live, hosts] = await Promise.all([
      this.#client.ask('live', { run: this.log.run }).catch(unlessNotLed),
      this.#client.ask('hosts', {}),
    ]);
    this.#live = live;
    this.#hosts = hosts.hosts;
    this.#hostsAtMs = hosts.nowMs;
    this.#aheadMs = hosts.nowMs - Date.now();
  }

  /** What the screens are made of, now. */
  input(): RunInput {
    return {
      state: this.log.state,
      entries: this.log.entries,
      nowMs: Date.now() + this.#aheadMs,
      live: this.#live,
      hosts: this.#hosts,
      hostsAtMs: this.#hostsAtMs,
      undoTimes: this.#undoTimes,
      away: this.#away,
    };
  }

  /** Until something has happened to the run, or so long. */
  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    await this.#wake.wait(ms, signal);
  }

  /** Ends a wait early: a person wants to see something else. */
  nudge(): void {
    this.#wake.wake();
  }

  async close(): Promise<void> {
    await this.#unsubscribe();
  }
}

/** Between two leaders a run has a log and no samples. */
function unlessNotLed(error: unknown): undefined {
  if (error instanceof SignalboxError && error.code === 'SB-COORD-NOT-LED') return undefined;
  throw error;
}

/** A wait that others can end. A wake-up that comes while nobody waits is not lost. */
class Wake {
  #woken = false;
  #end: () => void = () => {};

  wake(): void {
    this.#woken = true;
    this.#end();
  }

  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (!this.#woken && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#end = () => {
          clearTimeout(timer);
          resolve();
        };
        signal?.addEventListener('abort', this.#end, { once: true });
      });
      signal?.removeEventListener('abort', this.#end);
    }
    this.#woken = false;
    this.#end = () => {};
  }
}
