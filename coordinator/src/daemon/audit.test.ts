import type { AuditLog, StoredEntry } from '@signalbox/bus';
import type { AuditLane } from '@signalbox/protocol';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { type Logger, pino } from 'pino';
import { beforeEach, expect, it } from 'vitest';
import { provenRequests } from '../record/requests.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { Audit, type AuditedRequest } from './audit.ts';
import { coordinatorError } from './codes.ts';

const MINUTE_MS = 60_000;
const NOT_PROVEN = expect.objectContaining({ code: 'SB-CLI-VERIFY-AUDIT' });

/** The stream, and what goes wrong with it. */
class Kept implements AuditLog {
  readonly stored: (StoredEntry & { lane: AuditLane })[] = [];
  /** Held back until it resolves. */
  gate: Promise<void> = Promise.resolve();
  fails: Error | undefined;

  async append({ lane }: { lane: AuditLane }, data: Uint8Array, expected: number) {
    await this.gate;
    if (this.fails) throw this.fails;
    const last = await this.last({ lane });
    if ((last?.sequence ?? 0) !== expected) return 'conflict' as const;
    this.put(lane, data);
    return { sequence: this.stored.length };
  }

  put(lane: AuditLane, data: Uint8Array): void {
    this.stored.push({ lane, sequence: this.stored.length + 1, data });
  }

  last = async ({ lane }: { lane: AuditLane }) => this.stored.findLast((entry) => entry.lane === lane);
  read = async () => this.stored;
  texts = () => this.stored.map(({ data }) => Buffer.from(data).toString('utf8'));
}

const signer = createKeyPair();
const ayse = { name: 'ayse', key: 'UAYSE', role: 'operator' };
const asked = (more: Partial<AuditedRequest> = {}): AuditedRequest => ({
  verb: 'abort',
  run: 'r-1',
  by: ayse,
  data: Buffer.from('x'),
  ...more,
});
const refusal = coordinatorError('SB-COORD-ROLE', 'ayse is viewer and may not abort').failure;

let kept: Kept;
let clock: ManualClock;
let said: { msg: string; level: number; verb?: string }[];
let log: Logger;
beforeEach(() => {
  kept = new Kept();
  clock = new ManualClock();
  said = [];
  log = pino({}, { write: (line: string) => void said.push(JSON.parse(line)) });
});

const audit = () => new Audit(kept, { name: 'coordinator-1', signer, clock, log });
const proven = () => provenRequests(kept.texts(), (key) => key === signer.publicKey);

it('is one chain in each lane, over a restart as well', async () => {
  const first = audit();
  await Promise.all([
    first.write(asked()),
    first.write(asked({ failure: refusal })),
    first.write(asked({ verb: 'hosts' })),
  ]);
  await audit().write(asked({ verb: 'pause' }));
  expect(proven().entries).toMatchObject([
    { lane: 'asked', index: 0, verb: 'abort', run: 'r-1', by: ayse, granted: true },
    { lane: 'looked', index: 0, verb: 'hosts' },
    { lane: 'asked', index: 1, granted: false, code: 'SB-COORD-ROLE', message: 'ayse is viewer and may not abort' },
    { lane: 'asked', index: 2, verb: 'pause' },
  ]);
  expect(proven().chains).toContainEqual({ coordinator: 'coordinator-1', lane: 'asked', from: 0, to: 2 });
});

it('an entry that is changed, taken out, put in or sealed by somebody else is found', async () => {
  const writer = audit();
  for (const verb of ['pause', 'resume', 'abort']) await writer.write(asked({ verb }));
  const [one = '', two = '', three = ''] = kept.texts();
  const trusts = (key: string) => key === signer.publicKey;
  expect(provenRequests([two, three], trusts).chains).toMatchObject([{ from: 1, to: 2 }]);
  for (const changed of [
    [one, three],
    [one, two, two, three],
    [two, one],
    [one, two.replace('resume', 'reject'), three],
  ]) {
    expect(() => provenRequests(changed, trusts)).toThrow(NOT_PROVEN);
  }
  expect(() => provenRequests([one], () => false)).toThrow(NOT_PROVEN);
});

it('the same look is written once in ten minutes, every change each time', async () => {
  const writer = audit();
  for (let minute = 0; minute < 20; minute += 1) {
    await writer.write(asked({ verb: 'live' }));
    await writer.write(asked({ verb: 'note' }));
    await clock.advance(MINUTE_MS);
  }
  await writer.write(asked({ verb: 'live', run: 'r-2' }));
  const count = (verb: string) => proven().entries.filter((entry) => entry.verb === verb).length;
  expect([count('live'), count('note')]).toEqual([3, 20]);
});

it('what cannot be stored is said in the log, keeps nobody waiting for ever, and leaves no hole in the chain', async () => {
  const writer = audit();
  await writer.write(asked());
  kept.fails = new Error('no answer');
  await writer.write(asked({ verb: 'pause' }));
  kept.fails = undefined;
  await writer.write(asked({ verb: 'resume' }));
  expect(proven().entries.map(({ verb }) => verb)).toEqual(['abort', 'resume']);
  expect(said).toMatchObject([{ verb: 'pause', msg: 'a request is not on record in the mesh, only here' }]);
});

it('behind what is no entry it goes on, and whoever reads hears of it', async () => {
  const writer = audit();
  await writer.write(asked());
  kept.put('asked', Buffer.from('{}'));
  await writer.write(asked({ verb: 'pause' }));
  expect(kept.stored).toHaveLength(3);
  expect(proven).toThrow(NOT_PROVEN);
});

it('strangers can neither crowd out what people have asked, nor fill the memory', async () => {
  const writer = audit();
  let open = () => {};
  kept.gate = new Promise((resolve) => {
    open = resolve;
  });
  const all = Array.from({ length: 1_000 }, () => writer.write(asked({ by: undefined, failure: refusal })));
  const known = writer.write(asked());
  open();
  await Promise.all([...all, known]);
  await writer.write(asked({ by: undefined, failure: refusal }));
  const strangers = proven().entries.filter(({ lane }) => lane === 'unproven');
  expect(strangers).toHaveLength(65);
  expect(strangers.reduce((sum, { unwritten = 0 }) => sum + unwritten + 1, 0)).toBe(1_001);
  expect(proven().entries.filter(({ lane }) => lane === 'asked')).toHaveLength(1);
});
