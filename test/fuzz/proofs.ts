import { isDeepStrictEqual } from 'node:util';
import { createProofs, emptyState } from '@signalbox/agent';
import { Command, type PlannedAction, type SignedApproval } from '@signalbox/protocol';
import { createKeyPair, merkleTree, signApproval, signPlan, writeCertificate } from '@signalbox/protocol/crypto';
import { refusing, type Target } from './target.ts';

const MESH = 'm';
const PLAN = 'p'.repeat(64);
const LATER_MS = 4_000_000_000_000;

const own = { host: 'h', journal: 'j', machine: 'x', action: 'systemd.stop', version: 1 };
const freely: PlannedAction = { ...own, step: 'one', with: { unit: 'a.service' }, directions: ['do', 'undo'] };
const agreed: PlannedAction = {
  ...own,
  step: 'two',
  with: { unit: 'b.service' },
  directions: ['do'],
  approvals: [{ step: 'go', count: 1, role: 'approver', notSubmitter: true }],
};

/**
 * Commands as somebody sends them who has the coordinator's key, and nobody's word but what people have signed: whatever is
 * changed of them, a host is asked for nothing but what stands in the plan, and not without the approval before it.
 */
export function proofs(): Target {
  const [authority, starter, approver] = [createKeyPair('account'), createKeyPair(), createKeyPair()];
  const speaksFor = (name: string, { publicKey: key }: { publicKey: string }, role: string) =>
    writeCertificate({ mesh: MESH, name, key, role, issuedAtMs: 0, expiresAtMs: LATER_MS }, authority);
  const texts = [freely, agreed].map((action) => JSON.stringify(action));
  const tree = merkleTree(texts);
  const of = { mesh: MESH, start: 'start-1', plan: PLAN, signedAtMs: 0 };
  const signed = {
    signature: signPlan(starter, { ...of, actions: tree.root }),
    certificate: speaksFor('ayse', starter, 'operator'),
  };
  const approval = {
    signature: signApproval(approver, { ...of, step: 'go' }),
    certificate: speaksFor('mehmet', approver, 'approver'),
  };
  const command = (index: 0 | 1, direction: 'do' | 'undo'): object => {
    const { directions: _, approvals, ...asked } = index === 0 ? freely : agreed;
    const proof = { ...signed, action: texts[index], path: tree.pathTo(index) };
    return {
      ...{ mesh: MESH, run: 'r-1', epoch: 1, nonce: 'n', head: { sequence: 1, hash: 'h' }, sentAtMs: 1 },
      ...{ ...asked, id: `r-1:${asked.step}:h:${direction}:1`, direction, attempt: 1, planHash: PLAN },
      ...{ notAfterMs: LATER_MS, timeoutMs: 1_000 },
      proof: approvals ? { ...proof, approvals: [approval] } : proof,
    };
  };
  const commands = [command(0, 'do'), command(0, 'undo'), command(1, 'do')];
  const believe = createProofs({ mesh: MESH, authority: authority.publicKey, nowMs: () => 1 });
  for (const one of commands) {
    const { failure } = believe(emptyState(), Command.parse(one));
    if (failure) throw new Error(`the command to begin with is none: ${failure.message}`);
  }
  return {
    name: 'proofs of commands',
    corpus: commands.map((one) => Buffer.from(JSON.stringify(one))),
    feed: (data) =>
      refusing(() => {
        const given = readJson(data);
        const read = Command.safeParse(given);
        if (!read.success || believe(emptyState(), read.data).failure) return undefined;
        const planned = [freely, agreed].find(({ step }) => step === read.data.step);
        const { approvals = [] } = read.data.proof ?? {};
        const same = planned && isAsked(planned, read.data);
        if (!same) return `a host was asked for what nobody has signed: ${JSON.stringify(given)}`;
        if (!planned.approvals || approvals.some((one) => isDeepStrictEqual(wordsOf(one), wordsOf(approval))))
          return undefined;
        return `${planned.step} needs no approval any more: ${JSON.stringify(given)}`;
      }),
  };
}

function isAsked({ directions, approvals: _, ...planned }: PlannedAction, command: Command): boolean {
  const { step, host, journal, machine, action, version, with: input, direction, planHash } = command;
  const asked = { step, host, journal, machine, action, version, with: input };
  return isDeepStrictEqual(asked, planned) && directions.includes(direction) && planHash === PLAN;
}

/** What was signed; the envelope around it may be written in other ways. */
function wordsOf({ signature, certificate }: SignedApproval): string[] {
  return [signature, certificate].map((text) => JSON.parse(text).payload);
}

function readJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
}
