import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { bundleText, hashesOf, verifyBundle } from '@signalbox/coordinator';
import { LogEntry } from '@signalbox/protocol';
import { seal, sha256 } from '@signalbox/protocol/crypto';
import { codeOf } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sayTo } from '../../lab/child.ts';
import { PROGRAMS } from '../../lab/programs.ts';
import { workStep } from '../support/work.ts';
import { World } from '../support/world.ts';

const PART = `# What is included – as it was typed
apiVersion: signalbox/v1
kind: Steps
spec:
  steps:
    - id: seen
      hosts: boxes
      record: { probe: host.facts }
`;

let world: World;
let file: string;
let text: string;

beforeAll(async () => {
  world = await World.start({ hosts: ['a-1'] });
  const fails = '- id: broken\n  hosts: boxes\n  do: exec.run\n  with: { argv: ["false"], effect: read }\n';
  mkdirSync(world.file('parts'));
  writeFileSync(world.file('parts/look.yaml'), PART);
  const included = '- id: look\n  include: parts/look.yaml\n';
  const agreed = '- id: agreed\n  approve: { count: 1 }\n';
  const run = await world.begin(
    world.runbook('told', `# Asked for by nobody\n${workStep('first')}${included}${agreed}${fails}`),
  );
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
const sourceOf = (name: string) => readFileSync(world.file(name), 'utf8');
const authority = () => world.mesh.authority.publicKey;
const trust = () => ({ coordinators: (key: string) => key === coordinator().publicKey, authority: authority() });
const verify = (data: Uint8Array) => verifyBundle(data, trust());
/** Of so many places those at which a changed byte is not noticed. */
async function missed(places: readonly number[]): Promise<number[]> {
  const found = [];
  for (const place of places) {
    const changed = Buffer.from(text);
    changed[place] = (changed[place] ?? 0) ^ 1;
    if ((await verdict(changed)) === 'no failure') found.push(place);
  }
  return found;
}

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
    expect(await missed(places)).toEqual([]);
    expect(await verdict(Buffer.concat([bytes, Buffer.from('\n')]))).toBe('SB-CLI-VERIFY-BYTES');
    writeFileSync(file, text.replace('first was here', 'first was gone'));
    expect((await world.signalbox(['verify', file])).stderr).toContain('SB-CLI-VERIFY-SEAL');
    writeFileSync(file, text);
  });

  it('has the runbook as the operator had it, with what it includes, and tells one changed byte in it', async () => {
    const { sources } = verify(Buffer.from(text));
    const names = ['told.yaml', 'parts/look.yaml'];
    expect(sources).toEqual(names.map((name) => ({ name, sha256: sha256(sourceOf(name)) })));
    const { plan } = JSON.parse(text);
    expect(JSON.parse(plan).sources).toEqual(names.map((name) => ({ name, text: sourceOf(name) })));
    expect((await world.signalbox(['verify', file])).stdout).toMatch(/made of +told\.yaml .*, parts\/look\.yaml /);

    const from = Buffer.from(text).indexOf('\\"sources\\"');
    const to = Buffer.from(text).indexOf('","entries":[');
    expect(to - from).toBeGreaterThan(sourceOf('told.yaml').length + PART.length);
    expect(await missed(Array.from({ length: to - from }, (_, i) => from + i))).toEqual([]);
  });

  it('has no other runbook than the one that the operator has signed for', async () => {
    const other = (plan: string) => plan.replace('Asked for by nobody', 'Asked for by Ece');
    expect(await verdict(retold({ plan: other }).forged)).toBe('SB-CLI-VERIFY-RUNBOOK');
    const named = (plan: string) => {
      const { runbook, ...rest } = JSON.parse(other(plan));
      return JSON.stringify({ ...rest, runbook: { ...runbook, sha256: sha256(rest.sources[0].text) } });
    };
    expect(await verdict(retold({ plan: named }).forged)).toBe('SB-CLI-VERIFY-PEOPLE');

    const path = world.file('by-hand.json');
    writeFileSync(path, other(JSON.parse(text).plan));
    const started = await world.signalbox(['start', path, '--yes']);
    expect([started.exitCode, started.stderr]).toEqual([2, expect.stringContaining('SB-COORD-PLAN')]);
  });

  it('says of what no runbook was written for that there is none', async () => {
    const ran = await world.signalbox([
      '--json',
      'exec',
      '--hosts',
      'role=box',
      '--effect',
      'read',
      '--',
      'work',
      'at-once',
    ]);
    expect(ran.exitCode).toBe(0);
    const path = world.file('exec.bundle');
    const exported = await world.signalbox(['report', 'exec-1', '--export', path]);
    expect(exported).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('no runbook in its plan') });
    expect(verify(readFileSync(path)).sources).toEqual([]);
  });

  it('cannot be told otherwise by a coordinator: its host has signed what happened', async () => {
    const { forged, entries, bundle, sealed } = retold({
      entry: (entry) =>
        entry.replaceAll(
          /"type":"StepFailed","step":"broken"(.*?)"failure":\{.*?\}(?=[,}])/g,
          '"type":"StepSucceeded","step":"broken"$1"via":"report"',
        ),
    });
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
      const { forged, entries } = retold({ entry: (entry) => entry.replace(pattern, lie) });
      expect(entries).not.toEqual(JSON.parse(text).entries);
      expect(await verdict(forged)).toBe('SB-CLI-VERIFY-PEOPLE');
    }
  });
});

interface Lies {
  readonly plan?: (plan: string) => string;
  readonly entry?: (entry: string) => string;
}

/** The bundle of a coordinator that tells the run otherwise, in one chain and with its own seal. */
function retold({ plan: ofPlan = (same) => same, entry: ofEntry = (same) => same }: Lies) {
  const bundle = JSON.parse(text);
  const plan = ofPlan(bundle.plan);
  let previous = '';
  const entries: string[] = bundle.entries.map((entry: string) => {
    const lie = ofEntry(entry.replaceAll(sha256(bundle.plan), sha256(plan)));
    const told = JSON.stringify({ ...LogEntry.parse(JSON.parse(lie)), previous });
    previous = sha256(told);
    return told;
  });
  const contents = { ...bundle, plan, entries };
  const { payload } = JSON.parse(bundle.seal);
  const sealed = (of: typeof contents) =>
    Buffer.from(seal('record', { ...JSON.parse(payload), ...hashesOf(of) }, coordinator())).toString('utf8');
  const forged = Buffer.from(bundleText({ ...contents, seal: sealed(contents) }));
  return { forged, entries, bundle, sealed };
}
