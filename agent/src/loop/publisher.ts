import type { AgentBus } from '@signalbox/bus';
import type { Report } from '@signalbox/protocol';
import { type Signer, seal } from '@signalbox/protocol/crypto';
import { passPoint } from '@signalbox/protocol/points';
import type { Journal } from '../journal/journal.ts';
import type { Stored } from '../journal/records.ts';
import { reportOf } from '../journal/report.ts';
import type { Clock, Log, Random } from '../ports.ts';

/**
 * Publishes reports until the stream has them [D1]. The journal is the queue: what is not known to be in the stream is
 * published again after a reconnect or a restart. One at a time and in order within a run; runs do not wait for each
 * other. Only records that are on disk may be given to it.
 */
export interface Publisher {
  publish(record: Stored): void;
  /** Everything on disk that the journal still owes, at once; whenever it has become likely that it arrives. */
  publishAll(): void;
  /** Resolves when nothing is owed, or after `timeoutMs`. */
  flushed(timeoutMs: number): Promise<void>;
}

const RETRY_MS = { first: 250, most: 10_000 };

export interface PublisherPorts {
  bus: AgentBus;
  journal: Journal;
  signer: Signer;
  clock: Clock;
  random: Random;
  log: Log;
}

export function createPublisher({ bus, journal, signer, clock, random, log }: PublisherPorts): Publisher {
  const queues = new Map<string, Stored[]>();
  /** Each lets a report that waits for its next try go at once. */
  const sleepers = new Set<() => void>();
  let idle: (() => void)[] = [];

  function publish(record: Stored): void {
    const report = reportOf(journal.state, record);
    if (report === undefined) return;
    const queue = queues.get(report.run);
    if (queue === undefined) {
      const fresh = [record];
      queues.set(report.run, fresh);
      void drain(report.run, fresh);
    } else if (!queue.some(({ n }) => n === record.n)) {
      queue.push(record);
    }
  }

  async function drain(run: string, queue: Stored[]): Promise<void> {
    for (let record = queue[0]; record !== undefined; record = queue[0]) {
      const report = reportOf(journal.state, record);
      if (report !== undefined) await deliver(run, report);
      queue.shift();
      remember(record.n);
    }
    queues.delete(run);
    if (queues.size === 0) {
      for (const call of idle) call();
      idle = [];
    }
  }

  async function deliver(run: string, report: Report): Promise<void> {
    const data = seal('report', report, signer);
    for (let waitMs = RETRY_MS.first; ; ) {
      try {
        passPoint('agent.report.sending');
        await bus.report(run, data);
        return passPoint('agent.report.stored');
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log('warn', 'report not published, kept in the journal', { run, record: report.journalSequence, reason });
        const woken = await isWokenWithin(waitMs * (0.5 + random.fraction()));
        waitMs = woken ? RETRY_MS.first : Math.min(waitMs * 2, RETRY_MS.most);
      }
    }
  }

  /** Not synced, and of no weight: if it is lost, the report is published once more. */
  function remember(n: number): void {
    if (journal.failure !== undefined || !journal.state.unpublished.has(n)) return;
    try {
      journal.append({ type: 'published', records: [n] });
    } catch (error) {
      log('error', 'journal', { reason: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Waits for so long, or until `publishAll` wakes it. */
  function isWokenWithin(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (woken: boolean) => {
        cancel();
        sleepers.delete(wake);
        resolve(woken);
      };
      const wake = () => end(true);
      const cancel = clock.after(ms, () => end(false));
      sleepers.add(wake);
    });
  }

  return {
    publish,
    publishAll() {
      for (const wake of sleepers) wake();
      // What is still on its way to the disk is published by whoever waits for it to be there.
      for (const record of journal.state.unpublished.values()) if (record.n <= journal.durableN) publish(record);
    },
    async flushed(timeoutMs) {
      if (queues.size === 0) return;
      await new Promise<void>((resolve) => {
        const cancel = clock.after(timeoutMs, resolve);
        idle.push(() => {
          cancel();
          resolve();
        });
      });
    },
  };
}
