import { existsSync, readFileSync } from 'node:fs';
import type { MongoClient } from 'mongodb';

export interface LedgerLine {
  n: string;
  atMs: number;
  /** Of a message that was read: topic, partition and offset. */
  place?: string;
}

export function readLedger(path: string): LedgerLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => {
    const [n = '', atMs, place] = line.split(' ');
    return { n, atMs: Number(atMs), ...(place !== undefined && { place }) };
  });
}

/** The longest time in which nothing was acknowledged. */
export function longestGapMs(lines: readonly LedgerLine[]): number {
  const times = lines.map(({ atMs }) => atMs).sort((a, b) => a - b);
  return Math.max(0, ...times.slice(1).map((time, i) => time - (times[i] ?? time)));
}

export interface Count {
  acknowledged: number;
  documents: number;
  /** Acknowledged to a service, and not there. */
  lost: string[];
  /** There more than once. */
  duplicated: string[];
  /** By how much the totals differ from the documents that they count. */
  miscounted: number;
}

/** Compares what services were told with what a database has. */
export async function countAt(client: MongoClient, ledger: readonly LedgerLine[], database = 'shop'): Promise<Count> {
  const db = client.db(database);
  const views = await db
    .collection<{ n: string }>('views')
    .find({}, { projection: { n: 1 } })
    .toArray();
  const seen = new Map<string, number>();
  for (const { n } of views) seen.set(n, (seen.get(n) ?? 0) + 1);
  const totals = await db.collection<{ count: number }>('totals').find().toArray();
  return {
    acknowledged: ledger.length,
    documents: views.length,
    lost: ledger.filter(({ n }) => !seen.has(n)).map(({ n }) => n),
    duplicated: [...seen].filter(([, times]) => times > 1).map(([n]) => n),
    miscounted: totals.reduce((sum, { count }) => sum + count, 0) - views.length,
  };
}
