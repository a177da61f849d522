import { describe, expect, it } from 'vitest';
import { mirrorLagSeconds, readMongomirrorStatus, timestampSeconds } from './mongomirror.ts';

const of = (details: string, more = '') => readMongomirrorStatus(`{"stage":"oplog sync","details":${details}${more}}`);

describe('the status of MongoMirror', () => {
  it('[T30] gives the lag to the second, from numbers and from text, where a double would round it away', () => {
    const [current, latest] = ['7710618928103292959', '7710618932398260255'];
    expect(mirrorLagSeconds(of(`{"currentTimestamp":${current},"latestTimestamp":${latest}}`))).toBe(1);
    expect(mirrorLagSeconds(of(`{"currentTimestamp":"${current}","latestTimestamp":"${latest}"}`))).toBe(1);
    // The naive way: both are read into doubles; the entry that is one second and one write behind looks equal.
    const naive = JSON.parse(`{"a":7710618928103292927,"b":7710618928103292928}`);
    expect(naive.b - naive.a).toBe(0);
    expect(mirrorLagSeconds(of('{"currentTimestamp":7710618923808325631,"latestTimestamp":7710618928103292928}'))).toBe(
      2,
    );
  });

  it('has no lag where a timestamp is missing or no number, and none below zero', () => {
    expect(mirrorLagSeconds(of('{"currentTimestamp":"7710618928103292959"}'))).toBeUndefined();
    expect(mirrorLagSeconds(of('{"currentTimestamp":"soon","latestTimestamp":0}'))).toBeUndefined();
    expect(mirrorLagSeconds({ current: '7710618932398260255', latest: '7710618928103292959' })).toBe(0);
    expect(timestampSeconds('7710618928103292959')).toBe(1_795_268_368);
  });

  it('says how far the first copy is', () => {
    const part =
      '{"shop.orders":{"complete":true,"copiedBytes":10,"totalBytes":10},"shop.items":{"complete":false,"copiedBytes":5,"totalBytes":90}}';
    expect(of(part)).toMatchObject({
      copiedBytes: 15,
      totalBytes: 100,
      copying: ['shop.items'],
      errorMessage: undefined,
    });
    expect(of('{}', ',"errorMessage":"boom"').errorMessage).toBe('boom');
    expect(readMongomirrorStatus('[]')).toMatchObject({ stage: undefined, current: undefined });
  });
});
