import { subjects } from '@signalbox/protocol';
import { NatsError } from 'nats';
import { describe, expect, it } from 'vitest';
import type { CoordinatorContext } from './context.ts';
import { toBusError } from './errors.ts';
import { runLog } from './run-log.ts';

function apiError(err_code: number): NatsError {
  const error = new NatsError('said by the server', String(err_code));
  error.api_error = { code: 400, err_code, description: 'said by the server' };
  return error;
}

describe('what the servers of a cluster say', () => {
  it.each([
    [10005, 'SB-BUS-NO-LEADER', 'retryable'],
    [10008, 'SB-BUS-NO-LEADER', 'retryable'],
    [10163, 'SB-BUS-NO-LEADER', 'retryable'],
    [10158, 'SB-BUS-TIMEOUT', 'unknown'],
    [10164, 'SB-BUS-TIMEOUT', 'unknown'],
  ])('under %i is %s', (number, code, kind) => {
    expect(toBusError(apiError(number), 'appending').failure).toMatchObject({ code, class: kind });
  });

  it('[I8] of an append that was sent before and is still on its way to them: the log tells what became of it', async () => {
    const [data, other] = [Buffer.from('ours'), Buffer.from('theirs')];
    let stored: { seq: number; data: Uint8Array } = { seq: 4, data: Buffer.from('before') };
    const log = runLog({
      mesh: 'lab',
      subjects: subjects('lab'),
      link: {
        exchange: async (doing: string, work: () => Promise<unknown>) =>
          await work().catch((error: unknown) => {
            throw toBusError(error, doing);
          }),
      },
      js: { publish: async () => Promise.reject(apiError(10164)) },
      jsm: { streams: { getMessage: async () => stored } },
    } as unknown as CoordinatorContext);
    await expect(log.append('run-1', data, 4)).rejects.toMatchObject({ code: 'SB-BUS-TIMEOUT' });
    stored = { seq: 5, data };
    expect(await log.append('run-1', data, 4)).toEqual({ sequence: 5 });
    stored = { seq: 5, data: other };
    expect(await log.append('run-1', data, 4)).toBe('conflict');
  });
});
