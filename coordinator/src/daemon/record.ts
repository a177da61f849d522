import type { AuditLog, CoordinatorBus } from '@signalbox/bus';
import type { ReplyBody, RequestBody } from '@signalbox/protocol';
import { seal } from '@signalbox/protocol/crypto';
import { type Attestation, hashesOf } from '../record/bundle.ts';
import type { Ports } from './ports.ts';

type Part = RequestBody<'record'>['part'];

/** A page stays below this, far under the bus's bound. */
const PAGE_BYTES = 512 * 1_024;
const PAGE_ENTRIES = 1_000;

/** The exact texts that are stored of a run, from one on, as many as fit into a reply. */
export async function readRecord(
  bus: CoordinatorBus,
  { run, part, from }: RequestBody<'record'>,
): Promise<{ texts: string[]; more: boolean }> {
  const all = await textsOf(bus, run, part);
  const texts: string[] = [];
  let bytes = 0;
  for (const text of all.slice(from)) {
    bytes += Buffer.byteLength(text);
    if (texts.length > 0 && bytes > PAGE_BYTES) break;
    texts.push(text);
  }
  return { texts, more: from + texts.length < all.length };
}

/** The exact texts of what coordinators were asked, as many as fit into a reply. */
export async function readAudit(log: AuditLog, { sinceMs, from }: RequestBody<'audit'>): Promise<ReplyBody<'audit'>> {
  const stored = await log.read({ sinceMs, fromSequence: from, limit: PAGE_ENTRIES });
  const texts: string[] = [];
  let bytes = 0;
  for (const { sequence, data } of stored) {
    bytes += data.length;
    if (texts.length > 0 && bytes > PAGE_BYTES) return { texts, next: sequence };
    texts.push(Buffer.from(data).toString('utf8'));
  }
  const last = stored.at(-1);
  return { texts, ...(last && stored.length === PAGE_ENTRIES ? { next: last.sequence + 1 } : {}) };
}

/** Says, sealed, what the first so many texts of a run are: read here, and not believed of who asks. */
export async function attest(
  { bus, mesh, name, signer, clock }: Ports,
  { run, counts, plan }: RequestBody<'attest'> & { plan: string },
): Promise<string> {
  const [entries, reports, outputs] = await Promise.all(
    (['entries', 'reports', 'outputs'] as const).map(async (part) =>
      (await textsOf(bus, run, part)).slice(0, counts[part]),
    ),
  );
  const contents = { plan, entries: entries ?? [], reports: reports ?? [], outputs: outputs ?? [] };
  const attestation: Attestation = { mesh, run, coordinator: name, atMs: clock.wallMs(), ...hashesOf(contents) };
  return Buffer.from(seal('record', attestation, signer)).toString('utf8');
}

async function textsOf(bus: CoordinatorBus, run: string, part: Part): Promise<string[]> {
  const text = ({ data }: { data: Uint8Array }) => Buffer.from(data).toString('utf8');
  if (part === 'entries') return (await bus.readRun(run)).map(text);
  if (part === 'reports') return (await bus.readReports(run)).map(text);
  return (await bus.readOutput(run, 1, Number.POSITIVE_INFINITY)).chunks.map(text);
}
