import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type Document, Long, MongoClient, MongoNetworkError, Timestamp } from 'mongodb';
import { applyFrom } from './apply.ts';
import type { MirrorArguments } from './arguments.ts';
import { copyAll } from './copy.ts';

/** It asks both sides for their positions that often, and what it serves is that old. */
const REFRESH_MS = 10_000;

interface Status {
  stage: 'initializing' | 'initial sync' | 'oplog sync';
  phase: string;
  details: Record<string, unknown>;
  errorMessage?: string;
}

/** One run of the mirror: the first copy, or from the bookmark; then the oplog, until it is ended. */
export class Mirror {
  readonly #options: MirrorArguments;
  readonly #source: MongoClient;
  readonly #destination: MongoClient;
  #status: Status = { stage: 'initializing', phase: 'connecting', details: {} };
  /** The last entry that was applied. */
  #current: Timestamp | undefined;

  constructor(options: MirrorArguments) {
    this.#options = options;
    const settings = { appName: 'mongomirror', serverSelectionTimeoutMS: 30_000 };
    this.#source = new MongoClient(options.source, settings);
    this.#destination = new MongoClient(options.destination, settings);
  }

  statusText(): string {
    return JSON.stringify(this.#status);
  }

  fail(errorMessage: string): void {
    this.#status = { ...this.#status, errorMessage };
  }

  /** Beside it and renamed: a crash in the middle must not leave half a position. */
  writeBookmark(): void {
    const { bookmarkFile } = this.#options;
    if (bookmarkFile === undefined || this.#current === undefined || this.#status.stage !== 'oplog sync') return;
    writeFileSync(`${bookmarkFile}.new`, `${this.#current.toString()}\n`);
    renameSync(`${bookmarkFile}.new`, bookmarkFile);
  }

  async run(): Promise<void> {
    await Promise.all([this.#source.connect(), this.#destination.connect()]);
    this.#current = this.#bookmarked() ?? (await this.#firstCopy());
    await this.#follow();
  }

  #bookmarked(): Timestamp | undefined {
    const { bookmarkFile } = this.#options;
    if (bookmarkFile === undefined || !existsSync(bookmarkFile)) return undefined;
    return new Timestamp(Long.fromString(readFileSync(bookmarkFile, 'utf8').trim(), true));
  }

  async #firstCopy(): Promise<Timestamp> {
    const begin = await this.#newest();
    const copies: Record<string, object> = {};
    // Where it began: nothing changes in these two until the copy is done, so they are equal all the time.
    const details = { currentTimestamp: begin.toString(), latestTimestamp: begin.toString() };
    const say = (phase: string) => {
      this.#status = { stage: 'initial sync', phase, details: { ...details, ...copies } };
    };
    say('copying initial data');
    await copyAll(
      { source: this.#source, destination: this.#destination },
      { includes: this.#options.includes, drop: this.#options.drop },
      (ns, copy) => {
        copies[ns] = copy;
        say('copying initial data');
      },
    );
    return begin;
  }

  async #follow(): Promise<void> {
    const refresh = async () => {
      const latest = await this.#newest();
      this.#status = {
        ...this.#status,
        stage: 'oplog sync',
        phase: 'applying oplog entries',
        details: {
          currentTimestamp: String(this.#current),
          latestTimestamp: latest.toString(),
          lastWriteOnSourceTimestamp: latest.toString(),
        },
      };
      this.writeBookmark();
    };
    await refresh();
    const timer = setInterval(() => refresh().catch(() => undefined), REFRESH_MS);
    try {
      for (;;) {
        try {
          await this.#tail();
        } catch (error) {
          // A failover of one of the two; whoever is primary next is asked. What was applied twice is the same.
          if (!isPassing(error)) throw error;
        }
      }
    } finally {
      clearInterval(timer);
    }
  }

  async #tail(): Promise<void> {
    const oplog = this.#source.db('local').collection('oplog.rs');
    const oldest = await oplog.findOne({}, { sort: { $natural: 1 }, projection: { ts: 1 } });
    if (oldest && this.#current && oldest.ts.greaterThan(this.#current)) {
      throw new Error(`oplog entry ${this.#current.toString()} is gone from the source: the oplog has rolled over it`);
    }
    const entries = oplog.find(
      { ts: { $gt: this.#current } },
      { tailable: true, awaitData: true, maxAwaitTimeMS: 1_000 },
    );
    await applyFrom(entries, {
      to: this.#destination,
      includes: this.#options.includes,
      applied: (lot) => {
        this.#current = lot.at(-1)?.ts;
      },
    });
  }

  async #newest(): Promise<Timestamp> {
    const entry = await this.#source
      .db('local')
      .collection('oplog.rs')
      .findOne<Document>({}, { sort: { $natural: -1 }, projection: { ts: 1 } });
    if (!entry) throw new Error('the source has no oplog');
    return entry.ts;
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof MongoNetworkError || (error instanceof Error && 'hasErrorLabel' in error && retryable(error));
}

const retryable = (error: Error) =>
  'code' in error && [91, 189, 10107, 11600, 13435, 13436, 43, 136].includes(Number(error.code));
