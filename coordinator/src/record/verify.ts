import { isDeepStrictEqual } from 'node:util';
import { Envelope, LogEntry, type Plan, Report } from '@signalbox/protocol';
import { open, sha256 } from '@signalbox/protocol/crypto';
import { cliError } from '../cli/codes.ts';
import { readPlan } from '../cli/run-log.ts';
import { Attestation, Bundle, hashesOf, textOf } from './bundle.ts';
import { type SignedByPeople, signedByPeople } from './people.ts';

/** What a bundle proves. */
export interface Verified {
  readonly attestation: Attestation;
  /** The coordinator that has sealed it. */
  readonly key: string;
  readonly runbook: string;
  /** The files that its plan was made from, the runbook first; none of what no file was made for. */
  readonly sources: readonly { readonly name: string; readonly sha256: string }[];
  readonly entries: number;
  readonly reports: number;
  /** Steps on hosts of which the log says that the host has reported success, and of how many of them the report is here. */
  readonly outcomes: { readonly told: number; readonly signed: number };
  readonly people: SignedByPeople;
}

/** Public keys, by what their word is good for. */
export interface Trust {
  /** Sealing a record. */
  readonly coordinators: (publicKey: string) => boolean;
  /** Saying who people are; undefined: whoever it is is named. */
  readonly authority: string | undefined;
}

/**
 * Proves a bundle, offline: nothing in it was changed since a trusted coordinator sealed it, its log is one unbroken chain that
 * begins with this plan, each report was signed by the host that the plan names, no host has said otherwise than the log, and
 * neither has anybody who has started or approved.
 * @throws SB-CLI-VERIFY-BYTES, SB-CLI-VERIFY-SEAL, SB-CLI-VERIFY-CHAIN, SB-CLI-VERIFY-RUNBOOK, SB-CLI-VERIFY-REPORT,
 *   SB-CLI-VERIFY-PEOPLE.
 */
export function verifyBundle(data: Uint8Array, { coordinators, authority }: Trust): Verified {
  const bundle = read(data);
  const { attestation, key } = sealOf(bundle, coordinators);
  const plan = readPlan(bundle.plan, 'the plan of this bundle');
  const entries = chainOf(bundle, attestation.run);
  const reports = bundle.reports.map((report, i) =>
    reportOf(report, { plan, run: attestation.run, which: `report ${i}` }),
  );
  return {
    ...{ attestation, key, entries: entries.length, reports: reports.length },
    ...{ runbook: plan.runbook.name, sources: sourcesOf(plan) },
    outcomes: compared(entries, reports),
    people: signedByPeople({ entries, planText: bundle.plan, authority }),
  };
}

function read(data: Uint8Array): Bundle {
  const text = Buffer.from(data).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw cliError('SB-CLI-VERIFY-BYTES', 'this is not JSON', { cause });
  }
  const bundle = Bundle.safeParse(value);
  if (!bundle.success) throw cliError('SB-CLI-VERIFY-BYTES', 'this is no bundle of version 1');
  if (!Buffer.from(textOf(bundle.data)).equals(data) || !isPlain(bundle.data.seal))
    throw cliError('SB-CLI-VERIFY-BYTES', 'the file was written anew by something else');
  return bundle.data;
}

/** The seal is not covered by itself: it may be written in one way only. */
function isPlain(text: string): boolean {
  const seal = Envelope.safeParse(jsonOf(text)).data;
  if (seal === undefined) return false;
  const { v, kind, payload, signatures } = seal;
  const exact = signatures.map(({ key, sig }) => ({ key, sig: Buffer.from(sig, 'base64url').toString('base64url') }));
  return JSON.stringify({ v, kind, payload, signatures: exact }) === text;
}

function sealOf(bundle: Bundle, trusts: (publicKey: string) => boolean): { attestation: Attestation; key: string } {
  const { payload, keys } = openSeal(bundle.seal, trusts);
  const wrong = Object.entries(hashesOf(bundle)).find(
    ([part, hash]) => !isDeepStrictEqual(hash, Reflect.get(payload, part)),
  );
  if (wrong) throw cliError('SB-CLI-VERIFY-SEAL', `${wrong[0]} is not what was sealed`);
  return { attestation: payload, key: keys.find(trusts) ?? '' };
}

function openSeal(seal: string, trusts: (publicKey: string) => boolean) {
  try {
    return open(Buffer.from(seal), { kind: 'record', schema: Attestation, trusts });
  } catch (cause) {
    throw cliError('SB-CLI-VERIFY-SEAL', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function chainOf({ entries: texts, plan }: Bundle, run: string): LogEntry[] {
  const broken = (i: number, why: string) => cliError('SB-CLI-VERIFY-CHAIN', `entry ${i}: ${why}`);
  const entries = texts.map((text, i) => {
    const entry = LogEntry.safeParse(jsonOf(text)).data;
    if (entry === undefined) throw broken(i, 'it is no entry of a run log');
    if (entry.run !== run) throw broken(i, `it is of ${entry.run}, not of ${run}`);
    const before = texts[i - 1];
    const previous = before === undefined ? '' : sha256(before);
    if (entry.index !== i || entry.previous !== previous) throw broken(i, 'it does not follow the one before it');
    return entry;
  });
  const created = entries[0]?.events[0];
  if (created?.type !== 'RunCreated' || created.planHash !== sha256(plan))
    throw broken(0, 'it is not the start of this plan');
  return entries;
}

/** @throws SB-CLI-VERIFY-RUNBOOK when the runbook in a plan is another one than it names. */
function sourcesOf({ runbook, sources = [] }: Plan): Verified['sources'] {
  const files = sources.map(({ name, text }) => ({ name, sha256: sha256(text) }));
  if (files[0] === undefined || files[0].sha256 === runbook.sha256) return files;
  throw cliError('SB-CLI-VERIFY-RUNBOOK', `the plan names ${runbook.sha256}, and its runbook is ${files[0].sha256}`);
}

function reportOf(text: string, { plan, run, which }: { plan: Plan; run: string; which: string }): Report {
  const keyOf = (host: string) => plan.hosts.find(({ name }) => name === host)?.key;
  try {
    const keys = new Set(plan.hosts.map(({ key }) => key));
    const { payload, keys: by } = open(Buffer.from(text), {
      kind: 'report',
      schema: Report,
      trusts: (key) => keys.has(key),
    });
    const key = keyOf(payload.host);
    if (payload.run === run && key !== undefined && by.includes(key)) return payload;
  } catch (cause) {
    throw cliError('SB-CLI-VERIFY-REPORT', `${which}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  throw cliError('SB-CLI-VERIFY-REPORT', `${which} is of another run, or signed by another host than it names`);
}

/** @throws SB-CLI-VERIFY-REPORT when the log tells of a success that its host has not reported so. */
function compared(entries: readonly LogEntry[], reports: readonly Report[]): Verified['outcomes'] {
  const tryOf = (of: { step: string; host: string | null; direction: string; attempt: number }) =>
    JSON.stringify([of.step, of.host, of.direction, of.attempt]);
  const said = new Map<string, string[]>();
  for (const report of reports) {
    if (report.type !== 'outcome') continue;
    said.set(tryOf(report), [...(said.get(tryOf(report)) ?? []), report.outcome.status]);
  }
  const told = entries
    .flatMap(({ events }) => events)
    .filter((event) => event.type === 'StepSucceeded')
    .filter(({ via, host }) => via === 'report' && host !== null);
  const other = told.find((event) => said.get(tryOf(event))?.includes('succeeded') === false);
  if (other) {
    throw cliError(
      'SB-CLI-VERIFY-REPORT',
      `${other.host} has not reported success of ${other.step}, as the log says it has`,
    );
  }
  return { told: told.length, signed: told.filter((event) => said.has(tryOf(event))).length };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
