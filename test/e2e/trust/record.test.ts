import { readFileSync, writeFileSync } from 'node:fs';
import { bundleText, hashesOf, verifyBundle } from '@signalbox/coordinator';
import { LogEntry } from '@signalbox/protocol';
import { seal, sha256 } from '@signalbox/protocol/crypto';
import { codeOf } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROGRAMS } from '../../lab/programs.ts';
import { sayTo } from '../support/child.ts';
import { workStep } from '../support/work.ts';
import { World } from '../support/world.ts';

let world: World;
let file: string;
let text: string;

beforeAll(async () => {
  world = await World.start({ hosts: ['a-1'] });
  const fails = '- id: broken\n  hosts: boxes\n  do: exec.run\n  with: { argv: ["false"], effect: read }\n';
  const agreed = '- id: agreed\n  approve: { count: 1 }\n';
  const run = await world.begin(world.runbook('told', workStep('first') + agreed + fails));
  await world.event(run, 'StepStarted', { step: 'agreed' });
  const approved = await world.signalbox(['approve', run, 'agreed']);
  if (approved.exitCode !== 0) throw new Error(approved.stderr);
  await world.signalbox(['wait', run, '--for', 'done']);
  file = world.file('told.bundle');
  const exported = await world.signalbox(['report', run, '--export', file]);
  if (exported.exitCode !== 0) throw new Error(exported.stderr);
  text = readFileSync(file, 'utf8');
});
afterAll(() => world.end());

const coordinator = () => world.mesh.nats.keys.coordinator;
const authority = () => world.mesh.authority.publicKey;
const trust = () => ({ coordinators: (key: string) => key === coordinator().publicKey, authority: authority() });
const verify = (data: Uint8Array) => verifyBundle(data, trust());
const verdict = (data: Uint8Array) => codeOf(Promise.resolve().then(() => verify(data)));

describe('the record of a run', () => {
  it('is proven offline, from the settings or from a key that is named', async () => {
    const proven = await world.signalbox(['verify', file]);
    expect(proven).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('whole and unchanged') });
    const { outcomes, reports, entries, people } = verify(Buffer.from(text));
    expect(people).toEqual({ start: true, approvals: { told: 1, signed: 1 }, authorities: [authority()] });
    expect(proven.stdout).toContain('the start is signed, and 1 of 1 approvals');
    // `first`, done and undone.
    expect([outcomes.told, outcomes.signed]).toEqual([2, 2]);
    expect(Math.min(reports, entries)).toBeGreaterThan(3);
    const named = await sayTo([PROGRAMS.signalbox, 'verify', file, '--trust', coordinator().publicKey], { cwd: '/' });
    expect([named.exitCode, named.stderr]).toEqual([0, '']);
    const stranger = await world.signalbox(['verify', file, '--trust', world.mesh.nats.keys.monitor.publicKey]);
    expect([stranger.exitCode, stranger.stderr]).toEqual([1, expect.stringContaining('SB-CLI-VERIFY-SEAL')]);
    const other = await world.signalbox(['verify', file, '--authority', coordinator().publicKey]);
    expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining('SB-CLI-VERIFY-PEOPLE')]);
  });

  it('tells one changed byte, wherever it is', async () => {
    const bytes = Buffer.from(text);
    const end = bytes.indexOf('"plan":');
    // The seal byte by byte; the rest at many places.
    const places = [
      ...Array(end).keys(),
      ...Array.from({ length: 600 }, (_, i) => Math.floor((i * bytes.length) / 600)),
    ];
    const missed = [];
    for (const place of places) {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] ?? 0) ^ 1;
      if ((await verdict(changed)) === 'no failure') missed.push(place);
    }
    expect(missed).toEqual([]);
    expect(await verdict(Buffer.concat([bytes, Buffer.from('\n')]))).toBe('SB-CLI-VERIFY-BYTES');
    writeFileSync(file, text.replace('first was here', 'first was gone'));
    expect((await world.signalbox(['verify', file])).stderr).toContain('SB-CLI-VERIFY-SEAL');
    writeFileSync(file, text);
  });

  it('cannot be told otherwise by a coordinator: its host has signed what happened', async () => {
    const { forged, entries, bundle, sealed } = retold((entry) =>
      entry.replaceAll(
        /"type":"StepFailed","step":"broken"(.*?)"failure":\{.*?\}(?=[,}])/g,
        '"type":"StepSucceeded","step":"broken"$1"via":"report"',
      ),
    );
    expect(entries.join()).toContain('"type":"StepSucceeded","step":"broken"');
    expect(await verdict(forged)).toBe('SB-CLI-VERIFY-REPORT');

    const cut = { ...bundle, entries: bundle.entries.toSpliced(2, 1) };
    expect(await verdict(Buffer.from(bundleText({ ...cut, seal: sealed(cut) })))).toBe('SB-CLI-VERIFY-CHAIN');
  });

  it('nor of what people have agreed to: they have signed it', async () => {
    for (const [pattern, lie] of [
      [/("ApprovalGiven","step":"agreed","by":\{"name":")operator/, '$1mehmet'],
      [/("ApprovalGiven","step":")agreed/, '$1first'],
      [/("type":"RunCreated".*?"by":\{"name":")operator/, '$1mehmet'],
    ] as const) {
      const { forged, entries } = retold((entry) => entry.replace(pattern, lie));
      expect(entries).not.toEqual(JSON.parse(text).entries);
      expect(await verdict(forged)).toBe('SB-CLI-VERIFY-PEOPLE');
    }
  });
});

/** The bundle of a coordinator that tells the run otherwise, in one chain and with its own seal. */
function retold(lie: (entry: string) => string) {
  const bundle = JSON.parse(text);
  let previous = '';
  const entries: string[] = bundle.entries.map((entry: string) => {
    const told = JSON.stringify({ ...LogEntry.parse(JSON.parse(lie(entry))), previous });
    previous = sha256(told);
    return told;
  });
  const contents = { ...bundle, entries };
  const { payload } = JSON.parse(bundle.seal);
  const sealed = (of: typeof contents) =>
    Buffer.from(seal('record', { ...JSON.parse(payload), ...hashesOf(of) }, coordinator())).toString('utf8');
  const forged = Buffer.from(bundleText({ ...contents, seal: sealed(contents) }));
  return { forged, entries, bundle, sealed };
}
