import type { Answer, Command, Crossing, PlannedAction, Report } from '@signalbox/protocol';
import { createKeyPair, seal } from '@signalbox/protocol/crypto';
import { describe, expect, it } from 'vitest';
import { compact } from '../journal/compact.ts';
import { settled } from '../testing/manual-clock.ts';
import { asked, certificate, other, planned, proofOf, refusals, world } from '../testing/signed.ts';
import { RUN, type SmallWorld } from '../testing/small-world.ts';

/** Crossed, as a coordinator says, by these votes. */
const behindSwitch = (votes: Crossing['votes']): Partial<Command> => ({
  proof: proofOf({ actions: [planned({ behind: 'switch' })] }),
  crossing: { step: 'switch', round: 1, roundNonce: 'n', votes },
});

describe('a host that wants an operator behind every command', () => {
  it('does what a plan that was signed has it do, and takes it back', async () => {
    const w = await world();
    await w.give(asked(w));
    await w.give(asked(w, { direction: 'undo', receipt: { was: 'so' } }));
    expect(w.runs().map(({ what, input }) => [what, input])).toEqual([
      ['run', { unit: 'remesd.service' }],
      ['undo', { unit: 'remesd.service' }],
    ]);
  });

  const forged: [why: string, make: (w: SmallWorld) => Partial<Command>][] = [
    ['something else than was signed', () => ({ with: { unit: 'sshd.service' } })],
    [
      'the plan does not have this action',
      () => ({ proof: { ...proofOf(), action: JSON.stringify(planned({ with: {} })) } }),
    ],
    ['step is s, and was signed as other', () => ({ proof: proofOf({ index: 1 }) })],
    ['host is h1, and was signed as h2', () => ({ proof: proofOf({ actions: [planned({ host: 'h2' })] }) })],
    ['journal is journal-1', () => ({ proof: proofOf({ actions: [planned({ journal: 'journal-0' })] }) })],
    ['machine is m1', () => ({ proof: proofOf({ actions: [planned({ machine: 'm0' })] }) })],
    ['has signed another plan', () => ({ planHash: 'q' })],
    [
      'has no undo of it',
      () => ({ direction: 'undo', proof: proofOf({ actions: [planned({ directions: ['do'] })] }) }),
    ],
    ['does not carry its votes', () => ({ proof: proofOf({ actions: [planned({ behind: 'switch' })] }) })],
    ['does not carry its votes', () => behindSwitch([])],
    ['does not carry its votes', () => behindSwitch([{ host: 'h2', journalSequence: 1 }])],
    ['ayse is viewer', () => ({ proof: proofOf({ certificate: certificate({ role: 'viewer' }) }) })],
    ['is for mesh other', () => ({ proof: proofOf({ certificate: certificate({ mesh: 'other' }) }) })],
    ['signed for mesh other', () => ({ proof: proofOf({ signature: { mesh: 'other' } }) })],
    ['has ended', (w) => ({ proof: proofOf({ certificate: certificate({ expiresAtMs: w.clock.nowMs() }) }) })],
    ['is not trusted to send a plan', () => ({ proof: proofOf({ signer: other }) })],
    ['is not trusted to send a certificate', () => ({ proof: proofOf({ certificate: certificate({}, other) }) })],
    ['not an envelope', () => ({ proof: { ...proofOf(), certificate: '{}' } })],
    ['no receipt with that was', () => ({ direction: 'undo', receipt: { was: 'otherwise' } })],
  ];
  it.each(forged)('refuses when %s, and does nothing', async (why, make) => {
    const w = await world();
    await w.give(asked(w, make(w)));
    expect(refusals(w)).toMatchObject([{ code: 'SB-AGENT-PROOF', message: expect.stringContaining(why) }]);
    expect(w.calls).toEqual([]);
  });

  it('refuses what comes without a proof', async () => {
    const w = await world();
    const { proof: _, ...bare } = asked(w);
    await w.give(bare);
    expect(refusals(w)).toMatchObject([
      { code: 'SB-AGENT-PROOF', message: 'nobody has asked for this: it carries no proof' },
    ]);
    expect(w.calls).toEqual([]);
  });

  it('lets nobody lose the proof of a command on its way: it is part of what the coordinator signs', async () => {
    const w = await world();
    const sealed = JSON.parse(Buffer.from(seal('command', asked(w), w.keys.coordinator)).toString());
    const { proof: _, ...payload } = JSON.parse(sealed.payload);
    w.bus.deliver(payload.id, Buffer.from(JSON.stringify({ ...sealed, payload: JSON.stringify(payload) })));
    await settled();
    await w.give(asked(w));
    expect(refusals(w)).toEqual([]);
    expect(w.runs()).toHaveLength(1);
  });

  it('takes a signature for one run: copied for another, it is worth nothing, also when the first is long over', async () => {
    const w = await world();
    await w.give(asked(w));
    await w.give(asked(w, { run: 'run-2' }));
    await w.control({ type: 'closed', id: 'closed', outcome: 'completed' });
    for (const record of [...w.journal.state.unpublished.keys()])
      w.journal.append({ type: 'published', records: [record] });
    expect(compact(w.journal, { worthBytes: 1 })).toEqual([RUN]);
    const later = await world({ storage: w.storage });
    await later.give(asked(later, { run: 'run-3' }));
    expect([...refusals(w), ...refusals(later)].map(({ message }) => message)).toEqual([
      `nobody has asked for this: that start was signed once, for ${RUN}`,
      `nobody has asked for this: that start was signed once, for ${RUN}`,
    ]);
    expect([...w.runs(), ...later.runs()]).toHaveLength(1);
  });

  it('goes on with a run whose operator’s certificate ends on the way', async () => {
    const w = await world();
    const endsSoon = certificate({ expiresAtMs: w.clock.nowMs() + 1_000 });
    await w.give(asked(w, { proof: proofOf({ certificate: endsSoon }) }));
    w.clock.advance(2_000);
    await settled();
    const proof = proofOf({ certificate: endsSoon });
    await w.give(asked(w, { direction: 'undo', receipt: { was: 'so' }, proof, sentAtMs: w.clock.nowMs() }));
    expect(w.runs().map(({ what }) => what)).toEqual(['run', 'undo']);
  });
});

describe('values of other steps', () => {
  const backup = createKeyPair();
  const source = { step: 'backup', host: 'h2', key: backup.publicKey };
  const reference = { $step: 'backup', host: 'h2', from: 'receipt' as const, path: ['path'] };
  const measured = { ...source, step: 'height', sample: { probe: 'chain', with: { home: '/h' } } };
  const height = { $step: 'height', host: 'h2', from: 'values' as const, path: ['height'] };

  const report = (receipt: { path: string }, change: Partial<Report> = {}, key = backup) => {
    const of = {
      mesh: 'lab',
      run: RUN,
      host: 'h2',
      journal: 'j2',
      machine: 'm2',
      journalSequence: 1,
      sentAtMs: 0,
      epoch: 1,
    };
    const said = { type: 'outcome', ...of, commandId: 'c', step: 'backup', direction: 'do', attempt: 1 };
    const outcome = { outcome: { status: 'succeeded', receipt }, startedAtMs: 0, durationMs: 1, outputBytes: 0 };
    return Buffer.from(seal('report', { ...said, ...outcome, ...change }, key)).toString();
  };
  const answer = (values: { height: number }, change: Partial<Extract<Answer, { verb: 'sample' }>> = {}) => {
    const said = { verb: 'sample', nonce: 'n', host: 'h2', probe: 'chain', with: { home: '/h' }, values, tookMs: 1 };
    return Buffer.from(seal('answer', { ...said, ...change }, backup)).toString();
  };
  const given = async (input: PlannedAction['with'], filled: Command['with'], prerequisites: string[]) => {
    const w = await world();
    const proof = proofOf({ actions: [planned({ with: input, sources: [source, measured] })] });
    await w.give(asked(w, { with: filled, proof, prerequisites }));
    return { ran: w.runs().length === 1, why: refusals(w)[0]?.message };
  };

  it('are taken from what their host has signed', async () => {
    const input = { from: reference, least: height, text: { $join: ['backup of ', { $run: 'id' }] } };
    const filled = { from: '/b/1', least: 7, text: `backup of ${RUN}` };
    expect(await given(input, filled, [report({ path: '/b/1' }), answer({ height: 7 })])).toMatchObject({ ran: true });
  });

  it.each([
    ['nobody says it', []],
    ['the host says otherwise', [report({ path: '/b/2' })]],
    ['somebody else says it', [report({ path: '/b/1' }, {}, other)]],
    ['it was said of another run', [report({ path: '/b/1' }, { run: 'run-0' })]],
    ['it was said of another step', [report({ path: '/b/1' }, { step: 'dump' } as Partial<Report>)]],
    ['it was said by that key for another host', [report({ path: '/b/1' }, { host: 'h3' })]],
  ])('are not taken when %s', async (_, prerequisites) => {
    expect(await given({ from: reference }, { from: '/b/1' }, prerequisites)).toMatchObject({
      ...{ ran: false, why: expect.stringContaining('nobody has asked for this') },
    });
  });

  it.each([
    ['another probe', { probe: 'host' }],
    ['another input', { with: { home: '/elsewhere' } }],
    ['another host', { host: 'h3' }],
  ])('are not taken from a sample of %s', async (_, change) => {
    const { ran, why } = await given({ least: height }, { least: 7 }, [answer({ height: 7 }, change)]);
    expect({ ran, why }).toMatchObject({ ran: false, why: expect.stringContaining('h2 has signed no height') });
  });
});
