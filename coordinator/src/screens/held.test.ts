import type { HostRecord } from '@signalbox/protocol';
import { pending } from '@signalbox/sequencer';
import { describe, expect, it } from 'vitest';
import { heldScreen } from './held.ts';
import type { RunInput } from './model.ts';
import { rehearseUndo } from './rehearse.ts';
import { begunLog, commandWork } from './testing/cutover.ts';
import { gateHeldInput, silentInput, silentLog, undoFailedInput, unseenInput } from './testing/scenes.ts';
import { undoLines } from './undo-lines.ts';

/** The last beat of the hosts names the step as under way. */
function withRunning(input: RunInput, step: string): RunInput {
  const health = { running: [step] } as unknown as HostRecord['health'];
  return { ...input, hosts: input.hosts.map((host) => ({ ...host, health })) };
}

describe('screen 3', () => {
  it('[I5] shows a silent host: why, what is known, every way out with its command, and what cannot be done', () => {
    expect(heldScreen(silentInput())).toEqual([
      'mongodb-cutover-3   prod   HELD since 02:31:20 (0:48)   REVERSIBLE: undo takes ~1m38s   page not acknowledged',
      '',
      'WHY   kube-1 has not answered since 02:31:02 while it ran',
      '      5 writers-stopped[svc] on kube-1: scale writers-stopped[svc] to 0',
      '      Outcome UNKNOWN [SB-AGENT-SILENT]. It may or may not have been done. It will not be run again blindly.',
      'KNOWN writers-stopped[rtu] on kube-1: succeeded (02:30:58)',
      '      fence mirror-alive ok 29:08, unitState active',
      'CLOCK writes down 1:10 of 10:00   decide by 04:30 (1:57:52 left; last safe abort 04:28). Waiting is safe until',
      '      04:28. Nothing else is running.',
      '',
      'WHEN kube-1 IS BACK the probe decides by itself and the run goes on. No command needed.',
      '',
      'OR DECIDE (every one is logged with your name; --note required)',
      '  look by hand      on kube-1: signalbox-agent journal --run mongodb-cutover-3',
      '                    what that host did, from its own journal; needs no mesh',
      "  it is done        signalbox resolve mongodb-cutover-3 'writers-stopped[svc]' --host kube-1 --as succeeded --note ...",
      '                    kube-1 is not asked; what comes next still has to hold',
      "  it is not done    signalbox resolve mongodb-cutover-3 'writers-stopped[svc]' --host kube-1 --as not-done --note ...",
      '                    the old command is withdrawn; a new attempt goes out when kube-1 is back',
      '  take it back      signalbox abort mongodb-cutover-3 --undo --dry-run',
      '                    6 undos, ~1m38s; 5 of them need kube-1 and would be held for it',
      '  leave it          signalbox abort mongodb-cutover-3 --leave --note ...',
      '                    what was done stays as it is: ttl-paused, readers-moved[crud], readers-moved[lite] and 3 more',
      'CANNOT skip: writers-stopped[svc] is not in a state for this (kube-1: unknown)',
      '      drop: kube-1 is the only host left of its role kube',
    ]);
  });

  it('[I5] forgets what has become known since: who is back is no reason any more, and the other one is waited for', () => {
    const failure = {
      code: 'SB-AGENT-SILENT',
      class: 'unknown',
      message: 'no answer',
      next: 'Bring it back.',
    } as const;
    const tries = [
      { step: 'writers-stopped[svc]', host: 'kube-1', direction: 'do', attempt: 1 },
      { step: 'mirror-stopped', host: 'mirror-1', direction: 'do', attempt: 1 },
    ] as const;
    const reasons = tries.map(({ step, host }) => ({ cause: 'unknown', step, host, failure }) as const);
    const log = begunLog()
      .add(1_859, ...tries.map((one) => ({ type: 'StepStarted', ...one, work: commandWork(one.step) }) as const))
      .add(1_880, ...tries.map(({ host }) => ({ type: 'HostSilent', host }) as const))
      .add(1_881, ...tries.map((one) => ({ type: 'StepUnknown', ...one, failure }) as const))
      .add(1_882, { type: 'Held', reasons })
      .add(1_890, { type: 'StepSucceeded', ...tries[1], via: 'report' }, { type: 'HostBack', host: 'mirror-1' });
    const { state } = log.input(1_900);
    expect(state.reasons).toHaveLength(2);
    const lines = heldScreen(log.input(1_900));
    expect(lines).toContain('WHEN kube-1 IS BACK the probe decides by itself and the run goes on. No command needed.');
    expect(lines.filter((line) => line.includes('resolve') && line.includes('mirror-stopped'))).toEqual([]);
    const pages = pending(state).flatMap((effect) => (effect.type === 'page' ? effect.message : []));
    expect(pages).toEqual(['no answer']);
  });

  describe('of a host that is back and has not said yet what became of its step', () => {
    const back = silentLog().add(1_930, { type: 'HostBack', host: 'kube-1' });
    const linesAt = (input: RunInput) => heldScreen(input).map((line) => line.trim());

    it('[I5] says until when it is waited for, and what it is at: nobody has to decide what it will say', () => {
      const lines = linesAt(withRunning(back.input(1_931), 'writers-stopped[svc]'));
      expect(lines).toContain('WHY   kube-1 had not answered since 02:31:02 while it ran; it is back since 02:32:10');
      expect(lines).toContain('kube-1 is still at writers-stopped[svc]');
      expect(lines).toContain(
        'kube-1 IS BACK: what it says by 02:43:15 decides by itself and the run goes on. No command needed.',
      );
    });

    it('asks a person when it has not said so by then, or says that it cannot tell', () => {
      const svc = { step: 'writers-stopped[svc]', host: 'kube-1', direction: 'do', attempt: 1 } as const;
      const failure = { code: 'SB-AGENT-INTERRUPTED', class: 'unknown', message: 'who knows', next: '-' } as const;
      const late = back.input(1_930 + 60 + 600 + 5);
      const said = silentLog()
        .add(1_930, { type: 'HostBack', host: 'kube-1' })
        .add(1_931, { type: 'StepUnknown', ...svc, failure, probed: 'cannot-tell' })
        .input(1_932);
      for (const input of [late, said]) expect(linesAt(input).join()).not.toContain('by itself');
    });

    it('says so of what decides itself where another reason needs a person', () => {
      const away = silentLog().add(1_900, { type: 'HostSilent', host: 'mirror-1' });
      const failure = { code: 'SB-GATE-TIMEOUT', class: 'retryable', message: 'not met', next: '-' } as const;
      const reasons = [...away.input(1_901).state.reasons, { cause: 'gate', step: 'lag-zero', failure } as const];
      expect(linesAt(away.add(1_902, { type: 'Held', reasons }).input(1_903))).toContain(
        'WHEN kube-1 IS BACK the probe decides by itself what became of its step. The rest needs a person.',
      );
    });
  });

  it('shows a gate that was not met: nothing resolves itself, and the budget is over', () => {
    expect(heldScreen(gateHeldInput())).toEqual([
      'mongodb-cutover-3   prod   HELD since 02:29:09 (0:31)   REVERSIBLE: undo takes ~1m38s   page acknowledged by ayse',
      '',
      'WHY   7 lag-zero on mirror-1: gate on test.probe',
      '      lag-zero on mirror-1 was not met in 10m [SB-GATE-TIMEOUT]',
      '      See the values with `signalbox status RUN --why`.',
      'KNOWN fence mirror-alive ok 26:40, unitState active',
      '      fence source-quiet ok 12:03, writes 0',
      'CLOCK writes down 12:45 of 10:00 OVER BUDGET   decide by 04:30 (2:00:20 left; last safe abort 04:28). Waiting',
      '      is safe until 04:28. Nothing else is running.',
      '',
      'OR DECIDE (every one is logged with your name; --note required)',
      '  ask again         signalbox resume mongodb-cutover-3',
      '                    it gets its whole time again',
      '  give it more time signalbox adjust mongodb-cutover-3 lag-zero --timeout +20m --note ...',
      '                    then resume',
      '  take it back      signalbox abort mongodb-cutover-3 --undo --dry-run',
      '                    6 undos, ~1m38s',
      '  leave it          signalbox abort mongodb-cutover-3 --leave --note ...',
      '                    what was done stays as it is: ttl-paused, readers-moved[crud], readers-moved[lite] and 3 more',
      'CANNOT skip: lag-zero guards a point of no return and cannot be skipped',
      '      drop: mirror-1 is the only host left of its role mirror',
    ]);
  });

  it('[I11] says of a fence that nobody can look at since when, why, and what it last showed; it blames nobody', () => {
    const screen = heldScreen(unseenInput());
    expect(screen.slice(2, 10)).toEqual([
      'WHY   6 source-quiet on mirror-1: gate on test.probe',
      '      mirror-1 has not answered since 02:28:58',
      '      fence source-quiet on mirror-1: no sample for 10s: mirror-1 did not answer within 10 s',
      '      [SB-COORD-HOST-SILENT] [SB-FENCE-UNSEEN]',
      '      Bring the host back.',
      'KNOWN fence mirror-alive ok 26:40, unitState active',
      '      fence source-quiet UNSEEN: no sample for 10s: mirror-1 did not answer within 10 s',
      '      [SB-COORD-HOST-SILENT]; last seen writes 0',
    ]);
  });

  it('[I4] shows an undo that failed: what is left, what to do by hand, how to say that it was done, and what follows then', () => {
    expect(heldScreen(undoFailedInput())).toMatchInlineSnapshot(`
      [
        "mongodb-cutover-3   prod   HELD since 02:21:14 (0:06)   BEING TAKEN BACK: 1 of 6 undone; the rest takes ~1m36s   page not acknowledged",
        "",
        "WHY   5 undo of writers-stopped[rtu] on kube-1: scale back",
        "      quota exceeded [SB-ACT-SCALE]",
        "      Free some.",
        "LEFT  writers-stopped[rtu] on kube-1, by hand: scale back",
        "      kubectl scale deployment/fast-data --replicas=3",
        "      what it kept for that: replicas 3",
        "      and then, by itself:",
        "      readers-moved[export] on kube-1: old env",
        "      readers-moved[lite] on kube-1: old env",
        "      readers-moved[crud] on kube-1: old env",
        "      ttl-paused on mirror-1: TTL monitor on",
        "KNOWN writers-stopped[svc] on kube-1: compensated (02:21:12)",
        "CLOCK writes down 4:25 of 10:00. Nothing else is running.",
        "",
        "OR DECIDE (every one is logged with your name; --note required)",
        "  try it again      signalbox retry mongodb-cutover-3 'writers-stopped[rtu]' --host kube-1 --note ...",
        "                    a new attempt goes out",
        "  done by hand      signalbox resolve mongodb-cutover-3 'writers-stopped[rtu]' --host kube-1 --as succeeded --note ...",
        "                    you have taken it back yourself; the way back goes on with the rest",
        "  go on without it  signalbox skip mongodb-cutover-3 'writers-stopped[rtu]' --host kube-1 --note ...",
        "                    it is left as it is and named in the report",
        "  leave it          signalbox abort mongodb-cutover-3 --leave --note ...",
        "                    what was done stays as it is: ttl-paused, readers-moved[crud], readers-moved[lite] and 2 more",
        "CANNOT drop: on the way back no host is left out: skip its undo by name",
        "      abort --undo: mongodb-cutover-3 is being taken back already; resume it if it is held",
      ]
    `);
  });

  it('offers nothing that the sequencer would refuse', () => {
    const choices = heldScreen(gateHeldInput()).filter((line) => line.includes('signalbox skip'));
    expect(choices).toEqual([]);
  });
});

describe('abort --undo --dry-run', () => {
  it('[I4] lists every undo in reverse order, with its estimate and what its host makes of it', () => {
    const rehearsal = rehearseUndo(silentInput().state);
    expect('refused' in rehearsal ? [] : undoLines(rehearsal)).toMatchInlineSnapshot(`
      [
        "6 undos, ~1m38s; 5 of them need kube-1 and would be held for it",
        "  1  kube-1    writers-stopped[svc]   scale back      its host is silent: held until it is back",
        "  2  kube-1    writers-stopped[rtu]   scale back      its host is silent: held until it is back",
        "  3  kube-1    readers-moved[export]  old env         its host is silent: held until it is back",
        "  4  kube-1    readers-moved[lite]    old env         its host is silent: held until it is back",
        "  5  kube-1    readers-moved[crud]    old env         its host is silent: held until it is back",
        "  6  mirror-1  ttl-paused             TTL monitor on  ~4s",
      ]
    `);
  });
});
