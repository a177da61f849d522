import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { AuditEntry } from './audit.ts';
import { Command, Control, Query } from './command.ts';
import { open, verifySignature } from './crypto/index.ts';
import { Envelope, type EnvelopeKind } from './envelope.ts';
import { Health } from './health.ts';
import { ApprovalSignature, OperatorCertificate, PlanSignature } from './proof.ts';
import { Answer, Report } from './report.ts';
import { Reply, Request } from './request.ts';

/**
 * Messages as version 1 wrote them. They are never changed: whoever reads version 1 must read these, for ever. A new
 * kind of message gets a new file.
 */
const FOLDER = join(import.meta.dirname, '../fixtures/v1');
const KEY = 'UD466L6EBCM3YY5HEGHJANNTN4LSKTSUXTH7RILHCKEQMQHTBNLHJJXT';
/** Of the messages around votes, which came later. Seeds are not kept: no golden message is ever signed again. */
const VOTES_KEY = 'UDXWHYSWUJ4B2CFSW24E35FDMXZQDZJ7OEDK2DW7UNEAMVBUDL5LQ25G';
/** Of what proves that an operator asked for something, which came later still. */
const PROOF_KEY = 'AD7QTEZUJFBV4WITPVJRXOLHONHAHL2L5AWYN4Y5RWYEYNOCV52IWEU4';
/** Of what proves that people agreed to it, the last to come. */
const APPROVAL_KEY = 'UAJUQBKEMKYOA4LAYLDWJNIKRYVM57UO4E2HECADQHCQ4IAMUC2XUWBV';
/** Of what a coordinator keeps of a request. */
const AUDIT_KEY = 'UCIZQNX7MJIMDW2UYVL734BUHZFZGPTMAFVRC7CPJOEX3R6PA65A2QYD';
const KEYS: ReadonlySet<string> = new Set([KEY, VOTES_KEY, PROOF_KEY, APPROVAL_KEY, AUDIT_KEY]);
const SCHEMAS: Partial<Record<EnvelopeKind, z.ZodType>> = {
  command: Command,
  control: Control,
  report: Report,
  health: Health,
  query: Query,
  answer: Answer,
  request: Request,
  reply: Reply,
  plan: PlanSignature,
  certificate: OperatorCertificate,
  approval: ApprovalSignature,
  audit: AuditEntry,
};

const files = readdirSync(FOLDER);

describe('golden messages of version 1', () => {
  it.each(files)('%s is decoded, its signature fits, nothing is lost', (file) => {
    const data = readFileSync(join(FOLDER, file));
    const envelope = Envelope.parse(JSON.parse(data.toString()));
    const schema = SCHEMAS[envelope.kind];
    if (!schema) throw new Error(`no schema for ${envelope.kind}`);
    const opened = open(data, { kind: envelope.kind, schema, trusts: (key) => KEYS.has(key) });
    expect(opened.payload).toEqual(JSON.parse(envelope.payload));
    expect(basename(file, '.json').startsWith(envelope.kind)).toBe(true);
  });

  it('there is at least one of every kind', () => {
    for (const kind of Object.keys(SCHEMAS)) expect(files.some((file) => file.startsWith(kind))).toBe(true);
  });

  it('one changed byte anywhere in the payload is noticed', () => {
    const envelope = Envelope.parse(JSON.parse(readFileSync(join(FOLDER, 'command.json'), 'utf8')));
    const [signature] = envelope.signatures;
    const bytes = Buffer.from(`signalbox/v1/command\n${envelope.payload}`);
    const sig = Buffer.from(signature?.sig ?? '', 'base64url');
    expect(verifySignature(KEY, bytes, sig)).toBe(true);
    for (let i = 0; i < bytes.length; i++) {
      bytes[i] = (bytes[i] ?? 0) ^ 1;
      expect(verifySignature(KEY, bytes, sig)).toBe(false);
      bytes[i] = (bytes[i] ?? 0) ^ 1;
    }
  });
});
