import { createProofs, emptyState } from '@signalbox/agent';
import { Command, type PlannedAction, type Proof } from '@signalbox/protocol';
import {
  createKeyPair,
  merkleTree,
  open,
  seal,
  signApproval,
  signPlan,
  writeCertificate,
} from '@signalbox/protocol/crypto';
import { medianMs, type Row } from './figures.ts';
import { plainCommand, unsigned } from './sealing.ts';

const TIMES = 300;
const STEPS = 1_000;
const APPROVERS = 2;

/** A command with all that it can carry of people: of a long plan, behind an approval by two; beside it the same one with nothing of theirs, unsigned. */
export async function proofs(): Promise<Row[]> {
  const [signer, authority] = [createKeyPair(), createKeyPair('account')];
  const { bare, command } = proven(authority);
  const trusts = (key: string) => key === signer.publicKey;
  const fresh = () => createProofs({ mesh: bare.mesh, authority: authority.publicKey, nowMs: Date.now });
  const state = emptyState();
  const carried = (judge: ReturnType<typeof fresh>) => {
    const { payload } = open(seal('command', command, signer), { kind: 'command', schema: Command, trusts });
    const { failure } = judge(state, payload);
    if (failure !== undefined) throw new Error(failure.message);
  };

  const floor = await medianMs(TIMES, () => unsigned(bare));
  const known = fresh();
  const later = await medianMs(TIMES, () => carried(known));
  const first = await medianMs(TIMES, () => carried(fresh()));
  const note = `a plan of ${STEPS} steps, an approval by ${APPROVERS}`;
  return [
    { what: 'a command with its proof, sealed and judged', unit: 'ms', value: later, floor, note },
    { what: 'what signing and verifying add to it', unit: 'ms', value: later - floor, target: { value: 0.5 } },
    { what: 'the first one of a run on a host', unit: 'ms', value: first, floor },
  ];
}

function proven(authority: ReturnType<typeof createKeyPair>): { bare: Command; command: Command } {
  const bare = plainCommand();
  const { step, host, journal, machine, action, version, with: input, mesh, planHash } = bare;
  const approvals = [{ step: 'agreed', count: APPROVERS, role: 'approver', notSubmitter: true }];
  const planned = { host, journal, machine, action, version, with: input, directions: ['do', 'undo'], approvals };
  const texts = Array.from({ length: STEPS }, (_, i) =>
    JSON.stringify({ step: i === 0 ? step : `step-${i}`, ...planned } as PlannedAction),
  );
  const { root, pathTo } = merkleTree(texts);
  const nowMs = Date.now();
  const person = (name: string, role: string) => {
    const key = createKeyPair();
    const said = { mesh, name, key: key.publicKey, role, issuedAtMs: nowMs, expiresAtMs: nowMs + 3_600_000 };
    return { key, certificate: writeCertificate(said, authority) };
  };
  const starter = person('ayse', 'operator');
  const of = { mesh, start: 'bench', plan: planHash, signedAtMs: nowMs };
  const proof: Proof = {
    signature: signPlan(starter.key, { ...of, actions: root }),
    certificate: starter.certificate,
    action: texts[0] ?? '',
    path: pathTo(0),
    approvals: Array.from({ length: APPROVERS }, (_, i) => {
      const { key, certificate } = person(`approver-${i}`, 'approver');
      return { signature: signApproval(key, { ...of, step: 'agreed' }), certificate };
    }),
  };
  return { bare, command: { ...bare, proof } };
}
