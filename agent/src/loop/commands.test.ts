import { BEAT_MS, commandId, Health } from '@signalbox/protocol';
import { createKeyPair, open, seal } from '@signalbox/protocol/crypto';
import { describe, expect, it } from 'vitest';
import { createPolicy, PolicyFile } from '../policy/policy.ts';
import { manualClock, settled } from '../testing/manual-clock.ts';
import { memoryStorage } from '../testing/memory-storage.ts';
import { RUN, type SmallWorld, smallWorld } from '../testing/small-world.ts';

const codesOf = (world: SmallWorld) =>
  world.reports().flatMap((report) => (report.type === 'refused' ? [report.failure.code] : []));
const typesOf = (world: SmallWorld) => world.reports().map(({ type }) => type);

describe('the way of a command [D1]', () => {
  it('is: check, intent on disk, acknowledged, run, outcome on disk, reported', async () => {
    const world = await smallWorld();
    world.holdRuns = true;
    let sync = () => {};
    world.storage.slow = new Promise((resolve) => {
      sync = resolve;
    });
    const delivered = await world.give(world.command());
    expect(world.storage.text).toContain('"type":"intent"');
    // Not on disk yet: nobody may know, nothing may start.
    expect([delivered.verdict, world.runs().length, typesOf(world)]).toEqual(['none', 0, []]);
    world.storage.slow = undefined;
    sync();
    await settled();
    expect([delivered.verdict, world.runs().length, typesOf(world)]).toEqual(['acked', 1, ['accepted']]);
    world.runs()[0]?.resolve({ added: 1 });
    await settled();
    expect(world.reports().at(-1)).toMatchObject({
      type: 'outcome',
      outcome: { status: 'succeeded', receipt: { was: 'so', added: 1 } },
    });
  });

  it('tells nobody of an outcome that is not on disk yet, not even after a reconnect', async () => {
    const world = await smallWorld();
    world.holdRuns = true;
    await world.give(world.command());
    let sync = () => {};
    world.storage.slow = new Promise((resolve) => {
      sync = resolve;
    });
    world.runs()[0]?.resolve({});
    await settled();
    world.bus.connect(false);
    world.bus.connect(true);
    await settled();
    expect(typesOf(world)).toEqual(['accepted']);
    world.storage.slow = undefined;
    sync();
    await settled();
    expect(typesOf(world)).toEqual(['accepted', 'outcome']);
  });

  it('[I1] leads to one execution, however often and from whomever it comes', async () => {
    const world = await smallWorld();
    const command = world.command();
    const first = world.give(command);
    const second = await world.give({ ...command, sentAtMs: command.sentAtMs + 1 });
    await first;
    const later = await world.give({ ...command, epoch: 2, nonce: 'n2', head: { sequence: 9, hash: 'x' } });
    expect([second.verdict, later.verdict]).toEqual(['acked', 'acked']);
    expect(world.runs()).toHaveLength(1);
    const outcomes = world.reports().filter(({ type }) => type === 'outcome');
    expect(outcomes.length).toBeGreaterThan(1);
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
  });

  it('[I1] under a known id with other content is refused, and the first one stands', async () => {
    const world = await smallWorld();
    await world.give(world.command());
    const other = await world.give(world.command({ with: { other: true } }));
    expect([other.verdict, codesOf(world)]).toEqual(['terminated', ['SB-AGENT-ID-CONFLICT']]);
    const id = commandId({ run: RUN, step: 's', host: 'h1', direction: 'do', attempt: 1 });
    expect(await world.query({ verb: 'settle', commands: [id] })).toMatchObject({ commands: [{ id, state: 'ended' }] });
  });

  it('[I1] with other content is judged after the one that still waits', async () => {
    const world = await smallWorld({ concurrency: 1 });
    world.holdRuns = true;
    await world.give(world.command({ step: 'busy' }));
    await world.give(world.command());
    const other = await world.give(world.command({ with: { other: true } }));
    expect(other.verdict).toBe('none');
    world.runs()[0]?.resolve();
    await settled();
    expect([other.verdict, codesOf(world)]).toEqual(['terminated', ['SB-AGENT-ID-CONFLICT']]);
    expect(world.runs()).toHaveLength(2);
  });

  it('waits for a slot without being acknowledged, and says that it does', async () => {
    const world = await smallWorld({ concurrency: 1 });
    world.holdRuns = true;
    await world.give(world.command({ step: 'a' }));
    const waiting = await world.give(world.command({ step: 'b' }));
    await world.clock.advance(11_000);
    expect([waiting.verdict, waiting.working, world.runs().length]).toEqual(['none', 2, 1]);
    world.runs()[0]?.resolve();
    await settled();
    expect([waiting.verdict, world.runs().length]).toEqual(['acked', 2]);
  });

  it('[I7] ends when its moment passes in the queue', async () => {
    const world = await smallWorld({ concurrency: 1 });
    world.holdRuns = true;
    await world.give(world.command({ step: 'a' }));
    const waiting = await world.give(world.command({ step: 'b', notAfterMs: world.clock.nowMs() + 5_000 }));
    await world.clock.advance(5_100);
    expect([waiting.verdict, codesOf(world), world.runs().length]).toEqual(['terminated', ['SB-AGENT-LATE'], 1]);
  });

  it('[I7] is not started when its moment passes between intent and spawn', async () => {
    const world = await smallWorld();
    let sync = () => {};
    world.storage.slow = new Promise((resolve) => {
      sync = resolve;
    });
    await world.give(world.command({ notAfterMs: world.clock.nowMs() + 1_000 }));
    await world.clock.advance(1_500);
    world.storage.slow = undefined;
    sync();
    await settled();
    expect([world.runs(), codesOf(world)]).toEqual([[], ['SB-AGENT-LATE']]);
    const again = await world.give(world.command({ notAfterMs: world.clock.nowMs() - 500 }));
    expect([again.verdict, world.runs()]).toEqual(['acked', []]);
  });

  it('[I7] waits until the time of the coordinator is known, then gives up', async () => {
    let nowMs: number | undefined;
    const clock = manualClock();
    const world = await smallWorld({ clock, coordinatorNowMs: () => nowMs });
    const first = await world.give(world.command({ step: 'a' }));
    expect([first.verdict, world.runs()]).toEqual(['none', []]);
    nowMs = clock.nowMs();
    await clock.advance(2_000);
    expect([first.verdict, world.runs().length]).toEqual(['acked', 1]);
    nowMs = undefined;
    clock.jump(3_600_000);
    const second = await world.give(world.command({ step: 'b' }));
    await clock.advance(10_000);
    expect([second.verdict, codesOf(world), world.runs().length]).toEqual(['terminated', ['SB-CLOCK'], 1]);
  });

  it('that fails its check is refused: nothing was done', async () => {
    const world = await smallWorld();
    world.before = { code: 'SB-ACT-X', class: 'terminal', message: 'no such unit', next: 'look' };
    const delivered = await world.give(world.command());
    expect([delivered.verdict, codesOf(world), world.runs()]).toEqual(['terminated', ['SB-ACT-X'], []]);
  });

  it('[I5] whose check was cut off is refused and may be asked again: a question leaves nothing unknown', async () => {
    const world = await smallWorld();
    world.before = { code: 'SB-ACT-X', class: 'unknown', message: 'read ECONNRESET', next: 'look' };
    await world.give(world.command());
    expect(world.reports().at(-1)).toMatchObject({
      type: 'refused',
      failure: { code: 'SB-ACT-X', class: 'retryable' },
    });
  });

  it('stays in the stream when the agent stops, and when the journal fails', async () => {
    const world = await smallWorld();
    world.storage.broken.sync = new Error('EIO');
    const unsynced = await world.give(world.command({ step: 'a' }));
    world.storage.broken = {};
    const after = await world.give(world.command({ step: 'b' }));
    expect([unsynced.verdict, after.verdict, world.runs(), world.reports()]).toEqual(['none', 'none', [], []]);
    await world.clock.advance(2_000);
    const beat = open(world.bus.sent.beats.at(-1) ?? new Uint8Array(), {
      kind: 'health',
      schema: Health,
      trusts: () => true,
    });
    expect(beat.payload.refusing?.code).toBe('SB-JOURNAL-WRITE');

    const stopping = await smallWorld();
    void stopping.agent.stop();
    expect((await stopping.give(stopping.command())).verdict).toBe('none');
  });

  it('that cannot be trusted is terminated, logged and told with the next beat', async () => {
    const world = await smallWorld();
    const strange: [string, Uint8Array][] = [
      ['SB-MSG-JSON', Buffer.from('not JSON')],
      ['SB-MSG-SIZE', Buffer.alloc(2_097_152, 32)],
      ['SB-MSG-UNTRUSTED', seal('command', world.command(), createKeyPair())],
      ['SB-MSG-SHAPE', seal('control', world.command(), world.keys.coordinator)],
      ['SB-AGENT-ID', seal('command', world.command({ step: 'elsewhere' }), world.keys.coordinator)],
    ];
    for (const [code, data] of strange) {
      const delivered = world.bus.deliver(world.command().id, data);
      await settled();
      expect(`${code} ${delivered.verdict}`).toBe(`${code} terminated`);
    }
    await world.clock.advance(2_000);
    const last = world.bus.sent.beats.at(-1) ?? new Uint8Array();
    const { payload } = open(last, { kind: 'health', schema: Health, trusts: () => true });
    expect(payload.problems?.map(({ code }) => code)).toEqual(strange.map(([code]) => code));
    expect(world.reports()).toEqual([]);
    await world.clock.advance(4_000);
    const { payload: later } = open(world.bus.sent.beats.at(-1) ?? new Uint8Array(), {
      kind: 'health',
      schema: Health,
      trusts: () => true,
    });
    expect(later.problems).toBeUndefined();
  });
});

describe('attempts at a step [D2]', () => {
  it('that come after a later one, or after its undo, are void', async () => {
    const world = await smallWorld();
    await world.give(world.command({ attempt: 2 }));
    await world.give(world.command({ attempt: 1 }));
    expect([codesOf(world), world.runs().length]).toEqual([['SB-AGENT-VOID'], 1]);
    await world.give(world.command({ direction: 'undo' }));
    await world.give(world.command({ attempt: 3 }));
    expect([codesOf(world), world.runs().length]).toEqual([['SB-AGENT-VOID', 'SB-AGENT-VOID'], 2]);
  });

  it('do not run together: an undo waits for the end of what it takes back', async () => {
    const world = await smallWorld();
    world.holdRuns = true;
    await world.give(world.command());
    const undo = await world.give(world.command({ direction: 'undo' }));
    expect([undo.verdict, world.runs().map(({ what }) => what)]).toEqual(['none', ['run']]);
    world.runs()[0]?.resolve({ made: 'this' });
    await settled();
    expect(world.runs().map(({ what }) => what)).toEqual(['run', 'undo']);
    expect(world.runs()[1]?.receipt).toEqual({ was: 'so', made: 'this' });
  });

  it('inherit what the first of them captured; undo gets the coordinator’s receipt over it', async () => {
    const world = await smallWorld();
    await world.give(world.command());
    world.before = { was: 'half done' };
    await world.give(world.command({ attempt: 2 }));
    await world.give(world.command({ direction: 'undo', receipt: { told: true } }));
    const [, second, undo] = world.runs();
    expect(second?.receipt).toEqual({ was: 'so' });
    expect(undo?.receipt).toEqual({ was: 'so', told: true });
    expect(world.calls.filter(({ what }) => what === 'check')).toHaveLength(1);
  });
});

describe('a step that does not end', () => {
  it('is stopped at its timeout; its probe says what that means', async () => {
    const world = await smallWorld();
    world.holdRuns = true;
    for (const [step, applied, status] of [
      ['a', 'applied', 'succeeded'],
      ['b', 'not-applied', 'failed'],
      ['c', 'in-progress', 'unknown'],
    ] as const) {
      world.applied = applied;
      await world.give(world.command({ step, timeoutMs: 1_000 }));
      const run = world.runs().at(-1);
      run?.signal.addEventListener('abort', () => run.reject(run.signal.reason));
      await world.clock.advance(1_000);
      const last = world.reports().at(-1);
      expect(last).toMatchObject({ type: 'outcome', outcome: { status } });
    }
  });

  it('[I5] that does not even let go is unknown', async () => {
    const world = await smallWorld();
    world.holdRuns = true;
    world.applied = 'not-applied';
    await world.give(world.command({ timeoutMs: 1_000 }));
    await world.clock.advance(12_000);
    expect(world.reports().at(-1)).toMatchObject({
      outcome: { status: 'unknown', failure: { code: 'SB-AGENT-TIMEOUT' } },
    });
  });
});

describe('reports', () => {
  it('[I8] are kept until the stream has them, also over a restart', async () => {
    const world = await smallWorld();
    world.bus.full = new Error('no response');
    await world.give(world.command());
    await world.clock.advance(60_000);
    expect([world.runs().length, world.reports()]).toEqual([1, []]);
    const { storage, clock, keys } = world;
    const restarted = await smallWorld({ storage: memoryStorage(storage.onDisk()), clock, keys });
    expect([restarted.runs(), typesOf(restarted)]).toEqual([[], ['accepted', 'outcome']]);
    const [accepted, outcome] = restarted.reports();
    expect(outcome?.journalSequence).toBeGreaterThan(accepted?.journalSequence ?? 0);
    const again = await smallWorld({ storage: memoryStorage(restarted.storage.text), clock, keys });
    expect(again.reports()).toEqual([]);
  });

  it('go out with back-off once the stream takes them again', async () => {
    const world = await smallWorld();
    world.bus.full = new Error('storage full');
    await world.give(world.command());
    world.bus.full = undefined;
    await world.clock.advance(10_000);
    expect(typesOf(world)).toEqual(['accepted', 'outcome']);
  });

  it('go out as soon as the connection is there again, however long it was lost', async () => {
    const world = await smallWorld();
    world.bus.full = new Error('offline');
    world.bus.connect(false);
    await world.give(world.command());
    await world.clock.advance(60_000);
    world.bus.full = undefined;
    world.bus.connect(true);
    await world.clock.advance(0);
    expect(typesOf(world)).toEqual(['accepted', 'outcome']);
  });

  it('go out with the first beat that is heard again, where the connection was never lost', async () => {
    const clock = manualClock();
    let nowMs: number | undefined = clock.nowMs();
    const world = await smallWorld({ clock, coordinatorNowMs: () => nowMs });
    world.bus.full = new Error('no response');
    await world.give(world.command());
    nowMs = undefined;
    await clock.advance(60_000);
    world.bus.full = undefined;
    nowMs = clock.nowMs();
    await clock.advance(BEAT_MS);
    expect(typesOf(world)).toEqual(['accepted', 'outcome']);
  });
});

describe("the policy of the host's owner", () => {
  const input = { path: '/data/a' };
  const policy = createPolicy(PolicyFile.parse({ allow: { actions: ['test.*'], paths: ['/data/*'] } }), {
    ...{ sha256: 'x', own: [], uidOf: () => undefined, actionByName: () => undefined },
  });

  it('refuses before anything is looked at or written, with a report', async () => {
    const world = await smallWorld({ policy });
    const delivered = await world.give(world.command({ with: { path: '/etc/shadow' } }));
    expect([delivered.verdict, codesOf(world), world.calls]).toEqual(['terminated', ['SB-POLICY-PATH'], []]);
    const answer = await world.query({
      verb: 'check',
      action: 'test.action',
      with: { path: '/etc/x' },
      timeoutMs: 1_000,
    });
    expect(answer).toMatchObject({ verb: 'failed', failure: { code: 'SB-POLICY-PATH', class: 'terminal' } });
    const sample = await world.query({ verb: 'sample', probe: 'test.probe', with: {}, timeoutMs: 1_000 });
    expect(sample).toMatchObject({ verb: 'failed', failure: { code: 'SB-POLICY-PROBE' } });
    expect(world.calls).toEqual([]);
  });

  it('lets a way back go where this host itself has been, and nowhere that it is only told of', async () => {
    const world = await smallWorld({ policy });
    world.before = { kept: '/var/backups/a' };
    await world.give(world.command({ with: input }));
    const undo = { direction: 'undo' as const, with: input };
    await world.give(world.command({ ...undo, receipt: { kept: '/etc/shadow' } }));
    expect(codesOf(world)).toEqual(['SB-POLICY-PATH']);
    await world.give(world.command({ ...undo, attempt: 2, receipt: { kept: '/var/backups/a' } }));
    expect(world.runs().map(({ what, receipt }) => [what, receipt.kept])).toEqual([
      ['run', '/var/backups/a'],
      ['undo', '/var/backups/a'],
    ]);
  });

  it('[I5] does not ask the program of a step that it forbids since a crash: nobody can tell', async () => {
    const [storage, first] = [memoryStorage(), await smallWorld()];
    const before = await smallWorld({ storage, keys: first.keys });
    before.holdRuns = true;
    await before.give(before.command({ with: { path: '/etc/x' } }));
    const after = await smallWorld({ storage, keys: first.keys, policy, applied: 'applied' });
    await settled();
    expect(after.calls).toEqual([]);
    expect(after.reports().at(-1)).toMatchObject({ outcome: { status: 'unknown', probed: 'cannot-tell' } });
  });
});
