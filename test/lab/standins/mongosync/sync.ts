import { type Document, MongoClient, type Timestamp } from 'mongodb';
import { applyFrom } from '../mongomirror/apply.ts';
import { copyAll } from '../mongomirror/copy.ts';

/** mongosync says no; the state stays. */
export class Refused extends Error {
  constructor(name: string, description: string) {
    super(description);
    this.name = name;
  }
}

type State = 'IDLE' | 'RUNNING' | 'PAUSED' | 'COMMITTING' | 'COMMITTED' | 'REVERSING';

/** Above it, a commit is refused. */
const COMMIT_LAG_SECONDS = 5;
/** For so long after a start or a resume it does not tell its progress: the real one takes minutes [T39]. */
const SILENT_MS = 3_000;
/** What was read is applied that much later: its lag is seldom 0. */
const APPLY_EVERY_MS = 1_000;

interface StartBody {
  source?: string;
  destination?: string;
  reversible?: boolean;
  enableUserWriteBlocking?: boolean;
}

interface Kept {
  _id: string;
  state: State;
  applied: Timestamp;
  reversible: boolean;
  blocks: boolean;
}

/** One synchronisation, from start to commit, and back again when it was started so that it can be. */
export class Sync {
  #from: MongoClient;
  #to: MongoClient;
  #state: State = 'IDLE';
  #canWrite = false;
  #reversible = false;
  #blocks = false;
  #phase = 'waiting for start';
  #applied: Timestamp | undefined;
  #events = 0;
  #silentUntilMs = 0;
  #copied = 0;
  #total = 0;

  constructor({ cluster0, cluster1 }: { cluster0: string; cluster1: string }) {
    this.#from = new MongoClient(cluster0, { appName: 'mongosync' });
    this.#to = new MongoClient(cluster1, { appName: 'mongosync' });
  }

  /** After a crash it goes on by itself, from what it wrote down at the destination. */
  async restore(): Promise<void> {
    const kept = await this.#journal().findOne({ _id: 'sync' });
    if (kept?.state !== 'RUNNING') return;
    this.#applied = kept.applied;
    this.#reversible = kept.reversible;
    this.#blocks = kept.blocks;
    this.#state = 'RUNNING';
    this.#silentUntilMs = Date.now() + SILENT_MS;
    this.#go(() => this.#follow());
  }

  async progress(): Promise<object> {
    if (Date.now() < this.#silentUntilMs) throw new Error('the progress is not known yet');
    const lag = await this.#lagSeconds();
    return {
      state: this.#state,
      canCommit: this.#state === 'RUNNING' && this.#phase === 'change event application' && lag <= COMMIT_LAG_SECONDS,
      canWrite: this.#canWrite,
      info: this.#phase,
      lagTimeSeconds: this.#state === 'IDLE' ? null : lag,
      collectionCopy: { estimatedTotalBytes: this.#total, estimatedCopiedBytes: this.#copied },
      totalEventsApplied: this.#events,
    };
  }

  async command(verb: string, body: StartBody): Promise<void> {
    switch (verb) {
      case 'start':
        return await this.#start(body);
      case 'pause':
        this.#require('RUNNING', verb);
        this.#state = 'PAUSED';
        return;
      case 'resume':
        this.#require('PAUSED', verb);
        this.#silentUntilMs = Date.now() + SILENT_MS;
        this.#state = 'RUNNING';
        return;
      case 'commit':
        return await this.#commit();
      case 'reverse':
        return await this.#reverse();
      default:
        throw new Refused('NotFound', `no endpoint ${verb}`);
    }
  }

  #require(state: State, verb: string): void {
    if (this.#state !== state)
      throw new Refused('InvalidStateTransition', `${verb} needs ${state}, and the state is ${this.#state}`);
  }

  async #start({ source, destination, reversible = false, enableUserWriteBlocking = false }: StartBody): Promise<void> {
    this.#require('IDLE', 'start');
    if (source === undefined || destination === undefined)
      throw new Refused('InvalidBody', 'source and destination are required');
    if (reversible && !enableUserWriteBlocking)
      throw new Refused('InvalidBody', 'reversible needs enableUserWriteBlocking');
    if (source === 'cluster1') [this.#from, this.#to] = [this.#to, this.#from];
    this.#reversible = reversible;
    this.#blocks = enableUserWriteBlocking;
    this.#silentUntilMs = Date.now() + SILENT_MS;
    this.#state = 'RUNNING';
    if (this.#blocks) await block(this.#to, true);
    this.#go(() => this.#run());
  }

  #go(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      process.stderr.write(`mongosync: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    });
  }

  #journal() {
    return this.#to.db('mongosync_reserved_for_internal_use').collection<Kept>('resumeData');
  }

  async #keep(): Promise<void> {
    if (this.#applied === undefined) return;
    const kept = { state: this.#state, applied: this.#applied, reversible: this.#reversible, blocks: this.#blocks };
    await this.#journal().updateOne({ _id: 'sync' }, { $set: kept }, { upsert: true });
  }

  async #run(): Promise<void> {
    const begin = await newest(this.#from);
    this.#phase = 'collection copy';
    const copies = new Map<string, { copiedBytes: number; totalBytes: number }>();
    await copyAll({ source: this.#from, destination: this.#to }, { includes: [], drop: false }, (ns, copy) => {
      copies.set(ns, copy);
      const all = [...copies.values()];
      this.#copied = all.reduce((sum, { copiedBytes }) => sum + copiedBytes, 0);
      this.#total = all.reduce((sum, { totalBytes }) => sum + totalBytes, 0);
    });
    this.#applied = begin;
    await this.#follow();
  }

  /** Until it is committed; what was read up to then is applied. */
  async #follow(): Promise<void> {
    this.#phase = 'change event application';
    while (this.#state === 'RUNNING' || this.#state === 'PAUSED' || this.#state === 'COMMITTING') {
      const committing = this.#state === 'COMMITTING';
      if (this.#state !== 'PAUSED') await this.#catchUp();
      await this.#keep();
      if (committing) break;
      await new Promise((resolve) => setTimeout(resolve, APPLY_EVERY_MS));
    }
    if (this.#blocks) await block(this.#to, false);
    this.#phase = 'commit completed';
    this.#state = 'COMMITTED';
    await this.#keep();
    this.#canWrite = true;
  }

  async #catchUp(): Promise<void> {
    const entries = this.#from
      .db('local')
      .collection('oplog.rs')
      .find({ ts: { $gt: this.#applied } });
    await applyFrom(entries, {
      to: this.#to,
      includes: [],
      applied: (lot) => {
        this.#events += lot.filter(({ op }) => op !== 'n').length;
        this.#applied = lot.at(-1)?.ts;
      },
    });
  }

  async #commit(): Promise<void> {
    this.#require('RUNNING', 'commit');
    if ((await this.#lagSeconds()) > COMMIT_LAG_SECONDS)
      throw new Refused('CannotCommit', 'the lag is too high to commit');
    if (this.#blocks) await block(this.#from, true);
    this.#state = 'COMMITTING';
  }

  async #reverse(): Promise<void> {
    this.#require('COMMITTED', 'reverse');
    if (!this.#reversible) throw new Refused('NotReversible', 'it was started without reversible: true');
    this.#state = 'REVERSING';
    [this.#from, this.#to] = [this.#to, this.#from];
    // From here on the old source follows, and nobody but mongosync writes to it.
    this.#applied = await newest(this.#from);
    this.#canWrite = false;
    this.#state = 'RUNNING';
    this.#go(() => this.#follow());
  }

  async #lagSeconds(): Promise<number> {
    if (this.#applied === undefined) return this.#state === 'IDLE' ? 0 : COMMIT_LAG_SECONDS + 1;
    const latest = await newest(this.#from);
    return Math.max(0, latest.getHighBitsUnsigned() - this.#applied.getHighBitsUnsigned());
  }
}

async function block(client: MongoClient, global: boolean): Promise<void> {
  await client.db('admin').command({ setUserWriteBlockMode: 1, global });
}

async function newest(client: MongoClient): Promise<Timestamp> {
  const oplog = client.db('local').collection('oplog.rs');
  const entry = await oplog.findOne<Document>({}, { sort: { $natural: -1 }, projection: { ts: 1 } });
  if (!entry) throw new Refused('NoOplog', 'the cluster has no oplog');
  return entry.ts;
}
