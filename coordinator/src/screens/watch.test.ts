import { describe, expect, it } from 'vitest';
import { runModel } from './model.ts';
import { clockLine, nextLines } from './status-lines.ts';
import { begunLog, T0 } from './testing/cutover.ts';
import { undoingInput, waitingInput } from './testing/scenes.ts';
import { watchScreen } from './watch.ts';
import { whyScreen } from './why.ts';

describe('screen 2', () => {
  it('shows a gate that comes down: trend, an honest estimate, clocks, fences, what is next', () => {
    const model = runModel(waitingInput([12, 11, 9, 8, 6]));
    expect(watchScreen(model, { keys: '[q]uit' })).toEqual([
      'mongodb-cutover-3   prod   RUNNING   REVERSIBLE: undo takes ~1m38s   owner ayse   02:21:07',
      'writes down 4:12 of 10:00   decide by 04:30 (2:08:53 left; last safe abort 04:28)',
      '',
      '     1-4      done      window-enough .. readers-moved[3]                                   02:14:40',
      '     5        done      writers-stopped[2]         kube-1      scale writers-stopped[rtu] to..  2.1s',
      '     6        FENCE ok  source-quiet               mirror-1    writes 0                   since 3:30',
      '     7     >  WAITING   lag-zero                   mirror-1    1:58 of 10:00, then rollback',
      '              lagSeconds 6   want <= 0   12 11 9 8 6   falling 0.15/s, met in ~40s + 30s hold',
      '              stage oplog sync  ok   sample 3s old',
      '     8        next      mirror-stopped             mirror-1    stop mongomirror',
      '     9        ------    POINT OF NO RETURN no-way-back: 2 of approver, not the one who started. Wr..',
      '     10-11    later     writers-started[2], first-write-seen',
      '',
      'fences  mirror-alive ok 18:07, unitState active',
      '        source-quiet ok 3:30, writes 0',
      'hosts   mirror-1 ok 400ms   kube-1 ok 1.1s   skew 12ms',
      'undo    takes back writers-stopped[svc], writers-stopped[rtu], readers-moved[export] and 3 more (abort --undo --dry-run)',
      'log     02:18:10 mehmet note "CRM team told"',
      '        02:17:37 source-quiet on mirror-1 succeeded in 2.1s',
      '        02:17:00 writers-stopped[svc] on kube-1 succeeded in 2.1s',
      'next    nothing to do. Then: approve no-way-back.',
      '        [q]uit',
    ]);
  });

  it('says when the window opens, how long it is open, and what its end means', () => {
    const window = { notBeforeMs: T0 + 3_600_000, notAfterMs: T0 + 10_800_000 };
    const at = (seconds: number) => {
      const input = begunLog().input(seconds);
      const model = runModel({ ...input, state: { ...input.state, plan: { ...input.state.plan, window } } });
      return [clockLine(model), ...nextLines(model)];
    };
    expect(at(3_000)).toEqual([
      'decide by 04:30 (1:40:00 left; last safe abort 04:28)   window opens 03:00 (in 10:00)',
      'nothing to do: it begins by itself when its window opens, in 10:00',
    ]);
    expect(at(7_200)[0]).toContain('window ends 05:00 (1:00:00 left)');
    expect(at(10_860)[0]).toContain('window over since 05:00: no step is begun');
  });

  it('gives no estimate for a value that goes the wrong way', () => {
    expect(whyScreen(waitingInput([3, 4, 5, 6, 7]))).toEqual([
      'mongodb-cutover-3   prod   RUNNING   REVERSIBLE: undo takes ~1m38s   owner ayse   02:21:07',
      '',
      '7 lag-zero on mirror-1: WAITING 1:58 of 10:00, then rollback',
      '    lagSeconds 7   want <= 0   3 4 5 6 7   rising 0.1/s, no estimate because it is rising',
      '    stage oplog sync  ok   sample 3s old',
      '',
      'undo takes back writers-stopped[svc], writers-stopped[rtu], readers-moved[export] and 3 more (abort --undo --dry-run)',
      'nothing to do. Then: approve no-way-back.',
    ]);
  });

  it('shows the way back: what is undone, what is being undone, what is still to undo', () => {
    expect(watchScreen(runModel(undoingInput()))).toEqual([
      'mongodb-cutover-3   prod   COMPENSATING   BEING TAKEN BACK: 3 of 6 undone; the rest takes ~1m4s   owner ayse   02:21:24',
      'writes was down 4:19 of 10:00',
      '',
      '     1-3      to undo   window-enough .. mirror-alive',
      '     4     >  UNDOING   readers-moved[3]           kube-1      1 of 3 over; old env             0:03',
      '     5        undone    writers-stopped[2]         kube-1      scale back',
      '     6        -         source-quiet               mirror-1',
      '     7-11     not begun lag-zero .. first-write-seen',
      '',
      'hosts   mirror-1 ok 400ms   kube-1 ok 1.1s   skew 12ms',
      'log     02:21:20 undo of readers-moved[export] on kube-1 succeeded',
      '        02:21:14 undo of writers-stopped[rtu] on kube-1 succeeded',
      '        02:21:12 undo of writers-stopped[svc] on kube-1 succeeded',
      'next    nothing to do.',
    ]);
  });

  it('says why it is taken back', () => {
    expect(whyScreen(undoingInput())).toContain('It is being taken back: ayse: wrong night [SB-ABORTED]');
  });

  it('[I3] says since when there is no way back', () => {
    const log = begunLog().add(900, {
      type: 'StepStarted',
      step: 'no-way-back',
      host: null,
      direction: 'do',
      attempt: 1,
      work: { kind: 'round', round: 1, roundNonce: 'n.1', validMs: 30_000, voters: [], deadlineRunMs: 960_000 },
    });
    log.add(901, { type: 'Crossed', step: 'no-way-back', round: 1, roundNonce: 'n.1', votes: [], evidence: [] });
    const [head] = watchScreen(runModel(log.input(902)));
    expect(head).toBe('mongodb-cutover-3   prod   RUNNING   NOT REVERSIBLE since no-way-back   owner ayse   02:15:02');
  });

  it('[I11] keeps what was last known and says so when no coordinator answers', () => {
    const lines = watchScreen(runModel({ ...waitingInput([6, 6, 6]), live: undefined, away: true }));
    expect(lines[1]).toBe('NO COORDINATOR: agents finish what they run; this is what was last known');
    expect(lines).toContainEqual(expect.stringContaining('WAITING   lag-zero'));
  });

  it('cannot be made to obey what a host or a person wrote', () => {
    const log = begunLog().add(890, {
      type: 'NoteAdded',
      by: { name: 'eve', key: 'U' },
      text: '\u001b[2Jgone\u202e',
    });
    const text = watchScreen(runModel(log.input(891))).join('\n');
    expect(text).toContain('eve note "\\x1b[2Jgone\\u202e"');
    expect(text).not.toContain('\u001b');
  });
});
