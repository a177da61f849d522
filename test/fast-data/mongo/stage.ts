import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireReal } from '@signalbox/actions/testing';
import { Janitor } from '../../lab/janitor.ts';
import { findMongod, type MongodProgram } from './binary.ts';
import { ReplicaSet } from './replica-set.ts';

/** Looked for before tests are collected, so that a machine without MongoDB skips them and says so. */
export const mongod = await findMongod();
export const hasMongo = requireReal('MongoDB (mongod on PATH, or wine64)', mongod !== undefined);

export interface MongoStage {
  readonly dir: string;
  readonly janitor: Janitor;
  readonly source: ReplicaSet;
  readonly destination: ReplicaSet;
  readonly end: () => Promise<void>;
}

export interface StageOptions {
  /** Of the source; default 1. */
  readonly members?: number;
  /** Of the destination; default 1. */
  readonly destinationMembers?: number;
}

/** Outdated documents go after a second here, after a minute in production. */
const PARAMETERS = { ttlMonitorSleepSecs: '1' };

/** A source and a destination in a folder of their own. */
export async function startMongoStage({ members = 1, destinationMembers = 1 }: StageOptions = {}): Promise<MongoStage> {
  const janitor = new Janitor();
  const dir = mkdtempSync(join(tmpdir(), 'sb-fd-'));
  janitor.add('folder', async () => rmSync(dir, { recursive: true, force: true }));
  try {
    const program = mongodOrThrow();
    const start = (name: string, count: number) =>
      ReplicaSet.start(program, { name, dir: join(dir, name), members: count, parameters: PARAMETERS }, janitor);
    const [source, destination] = await Promise.all([start('src', members), start('dst', destinationMembers)]);
    return { dir, janitor, source, destination, end: () => janitor.sweep() };
  } catch (error) {
    await janitor.sweep();
    throw error;
  }
}

function mongodOrThrow(): MongodProgram {
  if (!mongod) throw new Error('no mongod');
  return mongod;
}
