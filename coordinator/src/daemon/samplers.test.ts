import { type Failure, type Json, SignalboxError } from '@signalbox/protocol';
import type { Input, WatchEffect } from '@signalbox/sequencer';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { Samplers } from './samplers.ts';

const REFUSED: Failure = { code: 'SB-TEST-REFUSED', class: 'retryable', message: 'nobody listens', next: '-' };

const FENCE: WatchEffect = {
  type: 'watch',
  key: 'quiet@h1#fence1',
  use: 'fence',
  step: 'quiet',
  host: 'h1',
  waiting: 'h1',
  probe: 'test.probe',
  with: {},
  everyMs: 1_000,
  spec: { until: { ok: { equals: true } }, failIf: undefined, forMs: 2_000, tolerateMs: 3_000, once: false },
  seed: { ok: true },
};

/** Samplers of one run on a clock that is told; a host that answers what `answers` say, the last one again and again. */
async function watched(
  answers: readonly (Record<string, Json> | Failure)[],
  watch = FENCE,
  asked = (_timeoutMs: number, _clock: ManualClock): Promise<void> => Promise.resolve(),
): Promise<Input[]> {
  const clock = new ManualClock();
  const said: Input[] = [];
  let times = 0;
  const samplers = new Samplers({
    ports: { clock, log: { error: () => {}, info: () => {} } },
    queries: {
      sample: async (_host: string, _probe: string, _with: object, timeoutMs: number) => {
        await asked(timeoutMs, clock);
        const answer = answers[Math.min(times++, answers.length - 1)];
        if (answer && 'code' in answer && 'class' in answer) throw new SignalboxError(answer as Failure);
        return { values: answer ?? {}, tookMs: 1 };
      },
    },
    submit: async (input: Input) => {
      said.push(input);
      samplers.reconcile([]);
    },
  } as unknown as ConstructorParameters<typeof Samplers>[0]);
  samplers.reconcile([watch]);
  await clock.advance(30_000);
  return said;
}

it.each([
  ['that does not answer', 0, [2_000]],
  ['that does not answer', 6_000, [2_000, 3_000]],
  ['that does not answer', 60_000, [2_000, 4_000, 8_000, 10_000]],
  ['that refuses at once', 60_000, [2_000]],
] as const)(
  'a host %s: where %d ms of samples may be missing, it has %j ms for them',
  async (how, tolerateMs, wanted) => {
    const given = new Set<number>();
    const fence = { ...FENCE, spec: { ...FENCE.spec, tolerateMs } };
    await watched([REFUSED], fence, async (timeoutMs, clock) => {
      given.add(timeoutMs);
      if (how === 'that does not answer') await new Promise<void>((resolve) => clock.after(timeoutMs, resolve));
    });
    expect([...given]).toEqual(wanted);
  },
);

describe('a fence', () => {
  it('[I11] that cannot be looked at is told apart from one that is broken, with what the probe failed with', async () => {
    expect(await watched([{ ok: true }, REFUSED])).toEqual([
      expect.objectContaining({
        type: 'fenceBroke',
        unseen: true,
        values: {},
        why: 'no sample for 4s: nobody listens [SB-TEST-REFUSED]',
      }),
    ]);
  });

  it('that is broken says by what value', async () => {
    const [broke, ...rest] = await watched([{ ok: true }, REFUSED, { ok: false }]);
    expect(broke).toEqual({
      type: 'fenceBroke',
      step: 'quiet',
      host: 'h1',
      values: { ok: false },
      why: 'ok false, want equals true',
      watch: FENCE.key,
    });
    expect(rest).toEqual([]);
  });
});
