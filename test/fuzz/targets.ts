import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeLine, readSaid, scan, type ToSay } from '@signalbox/agent';
import {
  ApprovalSignature,
  AuditEntry,
  Command,
  Control,
  Health,
  OperatorCertificate,
  PlanSignature,
  Query,
  Report,
  Request,
  readToken,
  writeToken,
} from '@signalbox/protocol';
import { createKeyPair, open, seal } from '@signalbox/protocol/crypto';
import { parseRunbook } from '@signalbox/runbook';
import { REPOSITORY } from '../lab/programs.ts';
import { boxes } from './boxes.ts';
import { bundles } from './bundles.ts';
import { proofs } from './proofs.ts';
import { refusing, type Target } from './target.ts';

const KINDS = {
  command: Command,
  control: Control,
  report: Report,
  health: Health,
  query: Query,
  request: Request,
  plan: PlanSignature,
  certificate: OperatorCertificate,
  approval: ApprovalSignature,
  audit: AuditEntry,
} as const;

const isKind = (kind: string): kind is keyof typeof KINDS => kind in KINDS;

/** Nothing that was not signed is ever believed, whatever was done to the envelope around it. */
function messages(): Target {
  const key = createKeyPair();
  const folder = join(REPOSITORY, 'protocol', 'fixtures', 'v1');
  const signed = new Set<string>();
  const corpus = readdirSync(folder).flatMap((file) => {
    const { kind, payload } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { kind: string; payload: string };
    if (!isKind(kind)) return [];
    signed.add(`${kind} ${payload}`);
    return [seal(kind, JSON.parse(payload) as object, key)];
  });
  return {
    name: 'messages and signatures',
    corpus,
    feed: (data) =>
      refusing(() => {
        for (const kind of Object.keys(KINDS).filter(isKind)) {
          if (!data.includes(`"${kind}"`)) continue;
          const { text } = open<unknown>(data, { kind, schema: KINDS[kind], trusts: (by) => by === key.publicKey });
          if (!signed.has(`${kind} ${text}`)) return `a ${kind} that nobody signed was believed: ${text}`;
        }
        return undefined;
      }),
  };
}

/** What a journal is read as was written by the agent: records that it has, in their order, and never one more. */
function journals(): Target {
  const created = {
    type: 'created' as const,
    n: 1,
    atMs: 1,
    journal: 'j',
    mesh: 'm',
    host: 'h',
    machine: 'x',
    boot: 'b',
  };
  const records = [
    created,
    ...[2, 3, 4, 5].map((n) => ({ type: 'process' as const, n, atMs: n, commandId: `r:s:h:do:${n}`, child: n })),
  ];
  const lines = records.map(encodeLine);
  const written = new Set(scan(Buffer.from(lines.join(''))).records.map((record) => JSON.stringify(record)));
  if (written.size !== records.length) throw new Error('the journal to begin with is none');
  return {
    name: 'the journal',
    corpus: [Buffer.from(lines.join('')), Buffer.from(lines.slice(0, 2).join(''))],
    feed: (data) =>
      refusing(() => {
        const strange = scan(data)
          .records.map((record) => JSON.stringify(record))
          .filter((record) => !written.has(record));
        // Eight hexadecimal digits beside it can be met by chance, but not by changing a line a little.
        return strange[0] === undefined ? undefined : `a record that nobody wrote: ${strange[0]}`;
      }),
  };
}

function runbooks(): Target {
  const folder = join(REPOSITORY, 'runbooks');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
  return {
    name: 'runbooks',
    corpus: files.map((file) => readFileSync(join(folder, file))).filter((text) => text.length < 6_000),
    feed: (data) =>
      refusing(() => {
        const text = data.toString('utf8');
        const { diagnostics } = parseRunbook(text, { file: 'fuzz.yaml' });
        const lines = text.split('\n').length;
        const lost = diagnostics.find(({ line, column }) => line < 1 || line > lines + 1 || column < 1);
        return lost && `${lost.code} is at ${lost.line}:${lost.column}, outside of the ${lines} lines`;
      }),
  };
}

function tokens(): Target {
  const token = {
    v: 1 as const,
    mesh: 'm',
    host: 'h',
    servers: ['tls://h:4222'],
    coordinators: ['U'],
    seed: 'SU',
    expiresAtMs: 1,
  };
  return {
    name: 'tokens',
    corpus: [Buffer.from(writeToken(token)), Buffer.from(writeToken({ ...token, ca: 'x'.repeat(600) }))],
    feed: (data) => refusing(() => void readToken(data.toString('utf8'))),
  };
}

/** What root takes from the process that speaks to the network: nothing of a form that is not known, and no text to sign. */
function messengers(): Target {
  const data = Buffer.from('{"v":1}').toString('base64');
  const said: ToSay[] = [
    { type: 'here' },
    { type: 'sign', challenge: 'fQ3_x-0aPzR7b1w' },
    { type: 'connected', connected: true },
    { type: 'delivery', lane: 'commands', n: 1, id: 'r:s:h:do:1', data },
    { type: 'query', verb: 'sample', n: 2, data },
    { type: 'done', n: 3, data },
    { type: 'done', n: 4, failure: { code: 'SB-BUS-TIMEOUT', class: 'unknown', message: 'm', next: 'n' } },
  ];
  return {
    name: 'what a messenger says',
    corpus: said.map((message) => Buffer.from(JSON.stringify(message))),
    feed: (bytes) =>
      refusing(() => {
        const taken = readSaid(bytes.toString('utf8'));
        if (taken?.type === 'sign' && !/^[\w-]{8,64}$/.test(taken.challenge))
          return `it would be signed: ${taken.challenge}`;
        return undefined;
      }),
  };
}

export const targets = (): Target[] => [
  ...[messages(), proofs(), journals(), tokens(), runbooks(), messengers()],
  ...[...bundles(), ...boxes()],
];
