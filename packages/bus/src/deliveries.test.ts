import { deferred } from 'nats';
import { describe, expect, it } from 'vitest';
import { DeliveryBook, type StoredCopy, type Verdict } from './deliveries.ts';

function recordedCopy() {
  const said: string[] = [];
  const copy: StoredCopy = {
    ack: () => said.push('ack'),
    terminate: () => said.push('terminate'),
    working: () => said.push('working'),
    again: (ms) => said.push(`again ${ms}`),
  };
  return { said, copy };
}

function book(capacity = 10) {
  const clock = { nowMs: 0 };
  const made = new DeliveryBook({ capacity, ackWaitMs: 30_000, retryAfterMs: 50, nowMs: () => clock.nowMs });
  const seen: string[] = [];
  const take = (id: string, options: { copy?: StoredCopy; content?: string; handle?: (v: Verdict) => unknown } = {}) =>
    made.take({ id, data: Buffer.from(options.content ?? id), copy: options.copy }, async (verdict) => {
      seen.push(id);
      await options.handle?.(verdict);
    });
  return { clock, seen, take };
}

describe('DeliveryBook', () => {
  it('[I1] passes the verdict on a live message on to its stored copy, and calls nobody twice', async () => {
    const { seen, take } = book();
    const stored = recordedCopy();
    await take('x', { handle: (v) => v.ack() });
    expect(await take('x', { copy: stored.copy })).toBe('known');
    expect(stored.said).toEqual(['ack']);
    expect(seen).toEqual(['x']);
  });

  it('terminates the stored copy of what was refused live', async () => {
    const { take } = book();
    const stored = recordedCopy();
    await take('x', { handle: (v) => v.terminate() });
    await take('x', { copy: stored.copy });
    expect(stored.said).toEqual(['terminate']);
  });

  it('holds a stored copy that comes while the handler is still at it, and answers it then', async () => {
    const { seen, take } = book();
    const stored = recordedCopy();
    const later = deferred<void>();
    const running = take('x', {
      handle: async (v) => {
        await later;
        v.working();
        v.ack();
      },
    });
    await take('x', { copy: stored.copy });
    later.resolve();
    await running;
    expect(stored.said).toEqual(['working', 'ack']);
    expect(seen).toEqual(['x']);
  });

  it('gives it to the handler again when the handler threw before a verdict', async () => {
    const { seen, take } = book();
    const stored = recordedCopy();
    const boom = () => Promise.reject(new Error('boom'));
    await expect(take('x', { copy: stored.copy, handle: boom })).rejects.toThrow('boom');
    expect(stored.said).toEqual(['again 50']);
    await take('x', { copy: stored.copy, handle: (v) => v.ack() });
    expect(seen).toEqual(['x', 'x']);
    expect(stored.said).toEqual(['again 50', 'ack']);
  });

  it('gives it to the handler again when no verdict came and nobody said working', async () => {
    const { clock, seen, take } = book();
    const kept: Verdict[] = [];
    await take('x', { handle: (v) => kept.push(v) });
    clock.nowMs = 20_000;
    kept[0]?.working();
    clock.nowMs = 40_000;
    await take('x');
    expect(seen).toEqual(['x']);
    clock.nowMs = 50_000;
    await take('x');
    expect(seen).toEqual(['x', 'x']);
  });

  it('does not let a foreign message under the same id silence the real one', async () => {
    const { seen, take } = book();
    const stored = recordedCopy();
    await take('x', { content: 'forged', handle: (v) => v.terminate() });
    await take('x', { content: 'real', copy: stored.copy, handle: (v) => v.ack() });
    expect(seen).toEqual(['x', 'x']);
    expect(stored.said).toEqual(['ack']);
  });

  it('forgets the oldest that is dealt with, never one that is running', async () => {
    const { seen, take } = book(2);
    const later = deferred<void>();
    const running = take('slow', { handle: () => later });
    for (const id of ['b', 'c', 'd']) await take(id, { handle: (v) => v.ack() });
    await take('slow');
    await take('b', { handle: (v) => v.ack() });
    expect(seen).toEqual(['slow', 'b', 'c', 'd', 'b']);
    later.resolve();
    await running;
  });
});
