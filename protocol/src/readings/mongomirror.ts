import { isJsonObject, type Json } from '../json.ts';
import { count64, parseJson64 } from './json64.ts';

/**
 * What MongoMirror serves on `--httpStatusPort`, a subset a stage: `{ stage, phase, details: { currentTimestamp,
 * latestTimestamp, lastWriteOnSourceTimestamp, "<db.coll>": { complete, copiedBytes, totalBytes, createIndexes } },
 * errorMessage }` (MongoDB's reference of mongomirror, "HTTP status server").
 */
export interface MongomirrorStatus {
  /** `initializing`, `initial sync`, `oplog sync`. */
  stage: string | undefined;
  phase: string | undefined;
  errorMessage: string | undefined;
  /** BSON timestamps as decimal text: seconds in the upper 32 bits, a counter in the lower. */
  current: string | undefined;
  latest: string | undefined;
  copiedBytes: number;
  totalBytes: number;
  /** Namespaces that are not copied yet. */
  copying: string[];
}

/** @throws SyntaxError when the text is not JSON. */
export function readMongomirrorStatus(text: string): MongomirrorStatus {
  // Timestamps pass 2^53: a double would round the lag away [T30].
  const json = parseJson64(text);
  const status = isJsonObject(json) ? json : {};
  const details = isJsonObject(status.details) ? status.details : {};
  const copies = Object.entries(details).flatMap(([name, value]) =>
    isJsonObject(value) ? [{ name, said: value }] : [],
  );
  return {
    stage: said(status.stage),
    phase: said(status.phase),
    errorMessage: said(status.errorMessage),
    current: timestamp(details.currentTimestamp),
    latest: timestamp(details.latestTimestamp),
    copiedBytes: sum(copies.map((copy) => copy.said.copiedBytes)),
    totalBytes: sum(copies.map((copy) => copy.said.totalBytes)),
    copying: copies.filter((copy) => copy.said.complete !== true).map(({ name }) => name),
  };
}

/** Seconds of a BSON timestamp in decimal text. */
export function timestampSeconds(timestamp: string): number {
  return Number(BigInt(timestamp) >> 32n);
}

/** There is no field for it: the distance of two timestamps in whole seconds, never below 0 [T30]. */
export function mirrorLagSeconds({
  current,
  latest,
}: Pick<MongomirrorStatus, 'current' | 'latest'>): number | undefined {
  if (current === undefined || latest === undefined) return undefined;
  return Math.max(0, timestampSeconds(latest) - timestampSeconds(current));
}

function timestamp(value: Json | undefined): string | undefined {
  const count = count64(value);
  return count === undefined || BigInt(count) <= 0n ? undefined : String(count);
}

function said(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function sum(values: (Json | undefined)[]): number {
  return values.reduce<number>((total, value) => total + (Number(count64(value)) || 0), 0);
}
