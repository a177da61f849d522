import { bundleText, hashesOf, signAgreement, signStart } from '@signalbox/coordinator';
import { type LogEntry, type OutcomeReport, Plan, type RunEvent } from '@signalbox/protocol';
import { createKeyPair, type KeyPair, seal, sha256, writeCertificate } from '@signalbox/protocol/crypto';

const MESH = 'm';
const RUN = 'move-1';
const START = 'start-1';
const LATER_MS = 4_000_000_000_000;
const SOURCE = 'apiVersion: signalbox/v1\nkind: Runbook # as it was typed\n';

export interface Contents {
  readonly plan: string;
  readonly entries: readonly string[];
  readonly reports: readonly string[];
  readonly outputs: readonly string[];
}

/** Everybody whose keys a run is told with. */
export interface Cast {
  readonly coordinator: KeyPair;
  readonly authority: KeyPair;
  readonly host: KeyPair;
  readonly starter: KeyPair;
  readonly approver: KeyPair;
}

export function createCast(): Cast {
  const [coordinator, host, starter, approver] = [createKeyPair(), createKeyPair(), createKeyPair(), createKeyPair()];
  return { coordinator, authority: createKeyPair('account'), host, starter, approver };
}

/** A short run as it is stored: started and approved by people, done on one host, reported and printed by it. */
export function tellRun(cast: Cast): Contents {
  const plan = `${JSON.stringify(planFor(cast.host))}\n`;
  const of = { text: plan, start: START, nowMs: 1 };
  const starter = personOf(cast, 'ayse', 'operator');
  const approver = personOf(cast, 'mehmet', 'approver');
  const created: RunEvent = {
    ...{ type: 'RunCreated', mesh: MESH, runbook: 'move', planHash: sha256(plan), start: START },
    ...{ by: { name: 'ayse', key: cast.starter.publicKey }, signed: signStart(of, starter) },
  };
  const given: RunEvent = {
    ...{ type: 'ApprovalGiven', step: 'go', by: { name: 'mehmet', key: cast.approver.publicKey } },
    signed: signAgreement({ ...of, step: 'go' }, approver),
  };
  const done: RunEvent = {
    ...{ type: 'StepSucceeded', step: 'one', host: 'h', direction: 'do', attempt: 1 },
    ...{ via: 'report', durationMs: 3 },
  };
  const ended: RunEvent = { type: 'Ended', outcome: 'completed', leftovers: [] };
  const report = Buffer.from(seal('report', REPORT, cast.host)).toString('utf8');
  const output = JSON.stringify({
    run: RUN,
    step: 'one',
    host: 'h',
    commandId: REPORT.commandId,
    seq: 0,
    atMs: 2,
    text: 'stopped\n',
  });
  return { plan, entries: chained([[created], [given], [done, ended]]), reports: [report], outputs: [output] };
}

/** The one file that such contents are, sealed by this coordinator. */
export function bundleOf(contents: Contents, coordinator: KeyPair): Buffer {
  const copied = { ...contents, ...mutable(contents) };
  const attestation = { mesh: MESH, run: RUN, coordinator: 'c-1', atMs: 3, ...hashesOf(copied) };
  const sealed = Buffer.from(seal('record', attestation, coordinator)).toString('utf8');
  return Buffer.from(bundleText({ v: 1, seal: sealed, ...copied }));
}

function mutable({ entries, reports, outputs }: Contents) {
  return { entries: [...entries], reports: [...reports], outputs: [...outputs] };
}

const REPORT: OutcomeReport = {
  ...{ type: 'outcome', mesh: MESH, run: RUN, host: 'h', journal: 'j', machine: 'x', journalSequence: 3 },
  ...{ sentAtMs: 2, epoch: 1, commandId: `${RUN}:one:h:do:1`, step: 'one', direction: 'do', attempt: 1 },
  ...{ outcome: { status: 'succeeded' }, startedAtMs: 1, durationMs: 3, outputBytes: 8 },
};

function planFor({ publicKey: key }: KeyPair): Plan {
  const target = { host: 'h', with: { unit: 'a.service' }, does: 'stop a.service', touches: [], exclusive: [] };
  const approve = { count: 1, role: 'approver', notSubmitter: true };
  return Plan.parse({
    ...{ signalboxPlan: 1, mesh: MESH, madeAtMs: 1, madeBy: 'ayse', params: {}, roles: {}, onFailure: 'hold' },
    runbook: { name: 'move', summary: 'Moves', sha256: sha256(SOURCE) },
    hosts: [{ name: 'h', labels: {}, journal: 'j', machine: 'x', key }],
    ...{ downtime: [], observed: [], findings: { errors: 0, warnings: 0 } },
    steps: [
      { kind: 'approval', id: 'go', number: 1, line: 3, approve },
      {
        ...{ kind: 'action', id: 'one', number: 2, line: 4, action: 'systemd.stop', version: 1, effect: 'reversible' },
        ...{ reversible: true, timeoutMs: 1_000, retry: { attempts: 1, backoffMs: 0, retryOn: [] }, targets: [target] },
      },
    ],
    sources: [
      { name: 'move.yaml', text: SOURCE },
      { name: 'parts/stop.yaml', text: 'kind: Steps\n' },
    ],
  });
}

function personOf(cast: Cast, name: 'ayse' | 'mehmet', role: string) {
  const key = name === 'ayse' ? cast.starter : cast.approver;
  const said = { mesh: MESH, name, key: key.publicKey, role, issuedAtMs: 0, expiresAtMs: LATER_MS };
  return { key, certificate: writeCertificate(said, cast.authority) };
}

function chained(decisions: readonly RunEvent[][]): string[] {
  let previous = '';
  return decisions.map((events, index) => {
    const entry: LogEntry = { v: 1, run: RUN, index, epoch: 1, previous, atMs: index, runMs: index, events };
    const text = JSON.stringify(entry);
    previous = sha256(text);
    return text;
  });
}
