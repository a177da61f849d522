import type { ReplyBody } from '@signalbox/protocol';
import type { RunInput } from '../model.ts';
import { AYSE, begunLog, commandWork, gateWork, T0, type TestLog } from './cutover.ts';

type Sample = ReplyBody<'live'>['gates'][number]['samples'][number];

/** Screen 2's moment: writers are stopped and proven quiet, the lag comes down. */
export function waitingLog(): TestLog {
  return begunLog()
    .done(1_015, 'writers-stopped[rtu]', 'kube-1')
    .done(1_020, 'writers-stopped[svc]', 'kube-1')
    .done(1_057, 'source-quiet', 'mirror-1', { values: { writes: 0 } })
    .add(1_090, { type: 'NoteAdded', by: { name: 'mehmet', key: 'UM' }, text: 'CRM team told' })
    .add(1_149, {
      type: 'StepStarted',
      step: 'lag-zero',
      host: 'mirror-1',
      direction: 'do',
      attempt: 1,
      work: gateWork(1_149, { lagSeconds: { atMost: 0 }, stage: { equals: 'oplog sync' } }),
    });
}

export function lagSamples(lags: readonly number[]): Sample[] {
  return lags.map((lagSeconds, i) => ({
    ageMs: 3_000 + (lags.length - 1 - i) * 10_000,
    values: { lagSeconds, stage: 'oplog sync' },
  }));
}

export function waitingInput(lags: readonly number[]): RunInput {
  return waitingLog().input(1_267, {
    gates: [
      { step: 'lag-zero', host: 'mirror-1', samples: lagSamples(lags), heldMs: 0 },
      { step: 'source-quiet', host: 'mirror-1', samples: [{ ageMs: 2_000, values: { writes: 0 } }], heldMs: 210_000 },
    ],
  });
}

/** Screen 3's moment: kube-1 fell silent while it stopped the second writer. */
export const silentInput = (): RunInput => silentLog().input(1_928);

export function silentLog(): TestLog {
  const failure = {
    code: 'SB-AGENT-SILENT',
    class: 'unknown',
    message: 'kube-1 has not answered since it was sent writers-stopped[svc]',
    next: 'Bring the host back.',
  } as const;
  const svc = { step: 'writers-stopped[svc]', host: 'kube-1', direction: 'do', attempt: 1 } as const;
  return begunLog()
    .done(1_858, 'writers-stopped[rtu]', 'kube-1')
    .add(1_859, { type: 'StepStarted', ...svc, work: commandWork(svc.step) })
    .add(
      1_880,
      { type: 'HostSilent', host: 'kube-1', lastSeenAtMs: T0 + 1_862_000 },
      { type: 'StepUnknown', ...svc, failure },
      { type: 'Held', reasons: [{ cause: 'unknown', step: svc.step, host: 'kube-1', failure }] },
    );
}

/** Held at a gate that was not met in its time, with nobody silent. */
export function gateHeldInput(): RunInput {
  const failure = {
    code: 'SB-GATE-TIMEOUT',
    class: 'retryable',
    message: 'lag-zero on mirror-1 was not met in 10m',
    next: 'See the values with `signalbox status RUN --why`.',
  } as const;
  const lag = { step: 'lag-zero', host: 'mirror-1', direction: 'do', attempt: 1 } as const;
  return waitingLog()
    .add(
      1_749,
      { type: 'StepFailed', ...lag, failure, unapplied: true },
      { type: 'Held', reasons: [{ cause: 'gate', step: lag.step, host: lag.host, failure }] },
    )
    .add(1_760, { type: 'PageAcknowledged', by: AYSE })
    .input(1_780);
}

/** A fence that nobody can look at any more: mirror-1 fell silent while the lag came down. */
export function unseenInput(): RunInput {
  const why = 'no sample for 10s: mirror-1 did not answer within 10 s [SB-COORD-HOST-SILENT]';
  const fence = { step: 'source-quiet', host: 'mirror-1' } as const;
  const failure = {
    code: 'SB-FENCE-UNSEEN',
    class: 'retryable',
    message: `fence source-quiet on mirror-1: ${why}`,
    next: 'Bring the host back.',
  } as const;
  return waitingLog()
    .add(1_749, { type: 'HostSilent', host: 'mirror-1', lastSeenAtMs: T0 + 1_738_000 })
    .add(
      1_750,
      { type: 'FenceBroken', ...fence, values: {}, why, unseen: true },
      { type: 'Held', reasons: [{ cause: 'fence', ...fence, failure }] },
    )
    .input(1_780);
}

/** On the way back: the second reader is being taken back. */
export function undoingInput(): RunInput {
  const reason = { code: 'SB-ABORTED', class: 'terminal', message: 'ayse: wrong night', next: '-' } as const;
  const undo = (step: string) => ({ step, host: 'kube-1', direction: 'undo', attempt: 1 }) as const;
  const started = (step: string) => ({ type: 'StepStarted', ...undo(step), work: commandWork(step) }) as const;
  const succeeded = (step: string) => ({ type: 'StepSucceeded', ...undo(step), via: 'report' }) as const;
  const undone = (log: TestLog, at: number, step: string) => log.add(at, started(step), succeeded(step));
  const log = waitingLog().add(1_270, { type: 'UndoStarted', reason, by: AYSE });
  undone(log, 1_272, 'writers-stopped[svc]');
  undone(log, 1_274, 'writers-stopped[rtu]');
  undone(log, 1_280, 'readers-moved[export]');
  return log.add(1_281, started('readers-moved[lite]')).input(1_284);
}

/** Held on the way back: the undo of the first writer has failed. */
export function undoFailedInput(): RunInput {
  const reason = { code: 'SB-ABORTED', class: 'terminal', message: 'ayse: wrong night', next: '-' } as const;
  const failure = { code: 'SB-ACT-SCALE', class: 'terminal', message: 'quota exceeded', next: 'Free some.' } as const;
  const undo = (step: string) => ({ step, host: 'kube-1', direction: 'undo', attempt: 1 }) as const;
  const started = (step: string) => ({ type: 'StepStarted', ...undo(step), work: commandWork(step) }) as const;
  const rtu = undo('writers-stopped[rtu]');
  return begunLog()
    .done(1_015, rtu.step, 'kube-1', { receipt: { replicas: 3 } })
    .done(1_020, 'writers-stopped[svc]', 'kube-1')
    .add(1_270, { type: 'UndoStarted', reason, by: AYSE })
    .add(
      1_272,
      started('writers-stopped[svc]'),
      { type: 'StepSucceeded', ...undo('writers-stopped[svc]'), via: 'report' },
      started(rtu.step),
    )
    .add(
      1_274,
      { type: 'StepFailed', ...rtu, failure, unapplied: false },
      { type: 'Held', reasons: [{ cause: 'undo-failed', step: rtu.step, host: rtu.host, failure }] },
    )
    .input(1_280);
}
