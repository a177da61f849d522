import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyBundle } from '@signalbox/coordinator';
import { sha256 } from '@signalbox/protocol/crypto';
import { REPOSITORY } from '../lab/programs.ts';
import { refusing, type Target } from './target.ts';
import { bundleOf, type Cast, type Contents, createCast, tellRun } from './told-run.ts';

/** A bundle of version 1 whose keys nobody has any more: whatever comes later proves it. */
const KEPT = {
  bundle: readFileSync(join(REPOSITORY, 'test', 'fuzz', 'corpus', 'move-1.bundle')),
  coordinator: 'UBZYM2ZHG374U3YITMP7YKGBOTNC3UHOGFXZROGJ5LFI4EMKXZXPKHW5',
  authority: 'ACI3M6ZVXXFCUX6XYVCVEBOUHCPK77L4REJDPZOCWJIVZMRMCH2K4DAV',
};

/** Who has no key changes a bundle: it is proven as it was, or not at all. */
function changed(cast: Cast): Target {
  const corpus = [bundleOf(tellRun(cast), cast.coordinator), KEPT.bundle];
  verifyBundle(KEPT.bundle, { coordinators: (key) => key === KEPT.coordinator, authority: KEPT.authority });
  const coordinators = [cast.coordinator.publicKey, KEPT.coordinator];
  return {
    name: 'bundles',
    corpus,
    feed: (data) =>
      refusing(() => {
        verifyBundle(data, { coordinators: (key) => coordinators.includes(key), authority: undefined });
        return corpus.some((one) => one.equals(data)) ? undefined : 'a bundle that was changed is proven';
      }),
  };
}

/** Who has the coordinator's key tells a run as they like: neither what its host nor what people have signed becomes another thing. */
function retold(cast: Cast): Target {
  const told = tellRun(cast);
  const trust = {
    coordinators: (key: string) => key === cast.coordinator.publicKey,
    authority: cast.authority.publicKey,
  };
  verifyBundle(bundleOf(fromLines(toLines(told)), cast.coordinator), trust);
  return {
    name: 'bundles sealed anew',
    corpus: [toLines(told)],
    feed: (data) =>
      refusing(() => {
        const contents = fromLines(data);
        const { people } = verifyBundle(bundleOf(contents, cast.coordinator), trust);
        if (people.start && contents.plan !== told.plan) return `nobody has signed the start of this: ${contents.plan}`;
        const signed = told.reports.map(payloadOf);
        const strange = contents.reports.find((report) => !signed.includes(payloadOf(report)));
        return strange && `its host has not reported this: ${strange}`;
      }),
  };
}

const PARTS = { P: 'plan', E: 'entries', R: 'reports', O: 'outputs' } as const;

/** One text a line, so that a change somewhere leaves the rest as it is. */
function toLines({ plan, entries, reports, outputs }: Contents): Buffer {
  const parts = Object.entries({ P: [plan.trimEnd()], E: entries, R: reports, O: outputs });
  return Buffer.from(parts.flatMap(([part, texts]) => texts.map((text) => `${part}${text}`)).join('\n'));
}

/** As a coordinator would seal it: in one chain, that begins with this plan. */
function fromLines(data: Buffer): Contents {
  const found = { plan: [] as string[], entries: [] as string[], reports: [] as string[], outputs: [] as string[] };
  for (const line of data.toString('utf8').split('\n')) {
    const part = Object.entries(PARTS).find(([letter]) => line.startsWith(letter))?.[1] ?? 'outputs';
    found[part].push(line.slice(1));
  }
  const plan = `${found.plan.join('\n')}\n`;
  return { ...found, plan, entries: chained(found.entries, plan) };
}

function chained(entries: readonly string[], plan: string): string[] {
  let previous = '';
  return entries.map((text, index) => {
    const entry = jsonOf(text.replace(/("planHash":)"[^"]*"/, `$1"${sha256(plan)}"`));
    const linked = entry === undefined ? text : JSON.stringify({ ...entry, index, previous });
    previous = sha256(linked);
    return linked;
  });
}

function jsonOf(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function payloadOf(report: string): unknown {
  return Reflect.get(jsonOf(report) ?? {}, 'payload');
}

export function bundles(): Target[] {
  const cast = createCast();
  return [changed(cast), retold(cast)];
}
