import type { Failure } from '@signalbox/protocol';
import { toFailure } from '@signalbox/protocol';
import { agentError } from '../codes.ts';
import type { Identity, JournalStorage } from '../ports.ts';
import { encodeLine, scan } from './line.ts';
import type { RecordBody, RecordType, Stored } from './records.ts';
import { apply, emptyState, type JournalState } from './state.ts';

/**
 * The agent's memory: what it was asked, began and ended [I1]. A decision is taken and appended in one go, so the state
 * already shows it; nobody outside may be told before `sync` has resolved.
 */
export interface Journal {
  readonly state: JournalState;
  /** Set once and for good when the journal cannot be trusted or written; commands are then left where they are [D2]. */
  readonly failure: Failure | undefined;
  /** Appends and folds. Not on disk yet. @throws SB-JOURNAL-WRITE */
  append<T extends RecordType>(body: Extract<RecordBody, { type: T }>): Stored;
  /** Resolves when all that was appended is on disk. Calls that wait together share one fsync. */
  sync(): Promise<void>;
  /** Number of the last record that is known to be on disk. What comes after it may be lost with the host's power. */
  readonly durableN: number;
  /** Replaces the file by these records, which must fold to the same decisions. */
  rewrite(records: readonly Stored[]): void;
  readonly sizeBytes: number;
  readonly records: () => Stored[];
  close(): void;
}

export interface JournalOptions {
  identity: Identity;
  newId: () => string;
  nowMs: () => number;
}

/** Opens a journal, cutting off a torn last record. What is worse than that is found in `failure`, never thrown. */
export function openJournal(storage: JournalStorage, options: JournalOptions): Journal {
  const journal = createJournal(storage, options.nowMs);
  try {
    journal.load(options);
  } catch (error) {
    journal.fail(error);
  }
  return journal;
}

function createJournal(storage: JournalStorage, nowMs: () => number) {
  const state = emptyState();
  let failure: Failure | undefined;
  let written = 0;
  let synced = 0;
  let sizeBytes = 0;
  let flushing: Promise<void> | undefined;

  function fail(error: unknown): void {
    failure ??= toFailure(error, agentError('SB-JOURNAL-WRITE', 'the journal failed').failure);
  }

  function append(body: RecordBody): Stored {
    assertUsable();
    const record = { ...body, n: state.lastN + 1, atMs: nowMs() };
    const line = encodeLine(record);
    try {
      storage.append(line);
    } catch (cause) {
      throw broken('a record could not be written', cause);
    }
    sizeBytes += Buffer.byteLength(line);
    written = record.n;
    apply(state, record);
    return record;
  }

  async function sync(): Promise<void> {
    const upTo = written;
    while (synced < upTo) {
      assertUsable();
      flushing ??= flush();
      await flushing;
    }
  }

  /** After a failed fsync the kernel may have dropped the pages: nothing later can be trusted, so it is final. */
  async function flush(): Promise<void> {
    const upTo = written;
    try {
      await storage.sync();
      synced = Math.max(synced, upTo);
    } catch (cause) {
      throw broken('the journal could not be brought to disk', cause);
    } finally {
      flushing = undefined;
    }
  }

  function broken(what: string, cause: unknown): Error {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = agentError('SB-JOURNAL-WRITE', `${what}: ${reason}`, { cause });
    fail(error);
    return error;
  }

  function assertUsable(): void {
    if (failure !== undefined) throw agentError('SB-JOURNAL-WRITE', `the journal is out of use: ${failure.message}`);
  }

  function load({ identity, newId }: JournalOptions): void {
    const { records, goodBytes, torn, damage } = scan(storage.read());
    for (const record of records) apply(state, record);
    if (damage) throw agentError('SB-JOURNAL-DAMAGED', `line ${damage.line} of the journal: ${damage.why}`);
    if (torn) storage.truncate(goodBytes);
    sizeBytes = goodBytes;
    // An agent that crashed may have left what the system has and the disk has not: nothing counts before a sync.
    written = state.lastN;
    const { mesh, host, machine, boot, instance, version } = identity;
    if (records.length === 0) append({ type: 'created', journal: newId(), mesh, host, machine, boot });
    const made = state.identity;
    if (made.mesh !== mesh || made.host !== host || made.machine !== machine) {
      const [was, is] = [
        `${made.mesh}/${made.host} on machine ${made.machine}`,
        `${mesh}/${host} on machine ${machine}`,
      ];
      throw agentError('SB-JOURNAL-IDENTITY', `the journal belongs to ${was}; this is ${is}`);
    }
    append({ type: 'opened', instance, boot, version });
  }

  return {
    state,
    get failure() {
      return failure;
    },
    get sizeBytes() {
      return sizeBytes;
    },
    get durableN() {
      return synced;
    },
    append,
    sync,
    load,
    fail,
    records: () => scan(storage.read()).records,
    rewrite(records: readonly Stored[]): void {
      assertUsable();
      const text = records.map(encodeLine).join('');
      try {
        storage.replace(text);
      } catch (cause) {
        throw broken('the journal could not be compacted', cause);
      }
      sizeBytes = Buffer.byteLength(text);
    },
    close: () => storage.close(),
  };
}
