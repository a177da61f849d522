import { z } from 'zod';
import { Condition } from './condition.ts';
import { Critical } from './envelope.ts';
import { Failure } from './failure.ts';
import { HostRecord } from './health.ts';
import { Json, JsonObject } from './json.ts';
import { HostName, MeshName, RunId, StartId } from './names.ts';
import { SignedApproval, SignedStart } from './proof.ts';
import { CheckResult } from './report.ts';
import { LogEntry } from './run-event.ts';
import { wire } from './wire.ts';

const Note = { note: z.string().optional() };
const OnStep = { run: RunId, step: z.string(), host: HostName.optional(), note: z.string() };

/** What an operator may ask of a coordinator: for each verb the body and the answer. */
export const REQUESTS = {
  ping: {
    body: wire({}),
    reply: wire({ coordinator: z.string(), version: z.string(), nowMs: z.int(), leading: z.array(RunId) }),
  },
  hosts: {
    body: wire({}),
    reply: wire({ nowMs: z.int(), hosts: z.array(HostRecord), problems: z.array(Failure) }),
  },
  /** The exact text of a plan; refused when the world has drifted from it, unless that is accepted. */
  start: {
    body: wire({
      plan: z.string(),
      acceptDrift: z.boolean(),
      /** Said again, it gives the run that it gave before: what was not answered may be asked again. */
      start: StartId,
      /** The operator's own, for hosts that do not take a coordinator's word for it. */
      signed: SignedStart.optional(),
      ...Note,
    }),
    reply: wire({ run: RunId, planHash: z.string(), drift: z.array(z.string()) }),
  },
  runs: {
    body: wire({}),
    reply: wire({
      runs: z.array(
        wire({
          run: RunId,
          runbook: z.string(),
          status: z.string(),
          createdAtMs: z.int(),
          endedAtMs: z.int().optional(),
          by: z.string(),
        }),
      ),
    }),
  },
  /** The log from `from` on; the plan's text comes with it when `plan` is asked for. */
  log: {
    body: wire({ run: RunId, from: z.int().min(0), plan: z.boolean() }),
    reply: wire({ entries: z.array(LogEntry), plan: z.string().optional(), more: z.boolean() }),
  },
  /** What is not in the log: the newest samples of open gates and fences. */
  live: {
    body: wire({ run: RunId }),
    reply: wire({
      nowMs: z.int(),
      runMs: z.int(),
      gates: z.array(
        wire({
          step: z.string(),
          host: HostName,
          /** Newest last, at most ten. Ages relative to `nowMs`. */
          samples: z.array(wire({ ageMs: z.number(), values: z.record(z.string(), Json) })),
          /** How long the condition has held without a break. */
          heldMs: z.number(),
          missing: Failure.optional(),
        }),
      ),
    }),
  },
  output: {
    body: wire({ run: RunId, step: z.string().optional(), host: HostName.optional(), from: z.int() }),
    reply: wire({
      chunks: z.array(
        wire({
          sequence: z.int(),
          step: z.string(),
          host: HostName,
          atMs: z.int(),
          text: z.string(),
          gapBytes: z.int().optional(),
        }),
      ),
      next: z.int(),
    }),
  },
  sample: {
    body: wire({ host: HostName, probe: z.string(), with: JsonObject, timeoutMs: z.int() }),
    reply: wire({ values: z.record(z.string(), Json), tookMs: z.number() }),
  },
  check: {
    body: wire({ host: HostName, action: z.string(), with: JsonObject, timeoutMs: z.int() }),
    reply: wire({ result: CheckResult }),
  },
  approve: {
    /** `signed`: the approver's own, for hosts that do not take a coordinator's word for it. */
    body: wire({ run: RunId, step: z.string(), signed: SignedApproval.optional(), ...Note }),
    reply: wire({}),
  },
  reject: { body: wire({ run: RunId, step: z.string(), note: z.string() }), reply: wire({}) },
  /** A manual step was done, or undone, by hand. */
  confirm: { body: wire({ run: RunId, step: z.string(), note: z.string() }), reply: wire({}) },
  pause: { body: wire({ run: RunId, ...Note }), reply: wire({}) },
  resume: { body: wire({ run: RunId, ...Note }), reply: wire({}) },
  retry: { body: wire(OnStep), reply: wire({}) },
  skip: { body: wire(OnStep), reply: wire({}) },
  resolve: { body: wire({ ...OnStep, as: z.enum(['succeeded', 'not-done']) }), reply: wire({}) },
  drop: { body: wire({ run: RunId, host: HostName, note: z.string() }), reply: wire({}) },
  abort: {
    /** `to`, of an undo: the last step that stays. */
    body: wire({ run: RunId, mode: z.enum(['undo', 'leave']), to: z.string().optional(), note: z.string() }),
    reply: wire({}),
  },
  adjust: {
    body: wire({
      run: RunId,
      step: z.string(),
      timeoutMs: z.int().optional(),
      addTimeoutMs: z.int().optional(),
      until: Condition.optional(),
      note: z.string(),
    }),
    reply: wire({}),
  },
  note: { body: wire({ run: RunId, text: z.string() }), reply: wire({}) },
  take: { body: wire({ run: RunId }), reply: wire({}) },
  acknowledge: { body: wire({ run: RunId }), reply: wire({}) },
  /** The exact texts that are stored of a run, from one on; fewer than there are when they do not fit into a reply. */
  record: {
    body: wire({ run: RunId, part: z.enum(['entries', 'reports', 'outputs']), from: z.int().min(0) }),
    reply: wire({ texts: z.array(z.string()), more: z.boolean() }),
  },
  /** The coordinator's seal on the plan and on the first so many texts of each part, as it reads them itself. */
  attest: {
    body: wire({
      run: RunId,
      counts: wire({ entries: z.int().min(0), reports: z.int().min(0), outputs: z.int().min(0) }),
    }),
    reply: wire({ seal: z.string() }),
  },
  /** What coordinators were asked, as they have sealed it: of what is kept, the first from a time or a place in the stream on. */
  audit: {
    body: wire({ sinceMs: z.int().min(0), from: z.int().min(0) }),
    /** `next`: where the next page begins; absent: there is none. */
    reply: wire({ texts: z.array(z.string()), next: z.int().optional() }),
  },
  /** Opens a token for a host. Its key is made where it is asked for: no coordinator ever has the token itself. */
  enroll: {
    body: wire({
      host: HostName,
      labels: z.record(z.string(), z.string()),
      tokenKey: z.string(),
      expiresAtMs: z.int(),
    }),
    reply: wire({}),
  },
  /** Takes a host out of the mesh: its connection is cut, and its key is worth nothing any more. */
  revoke: { body: wire({ host: HostName, note: z.string() }), reply: wire({}) },
  /** Replaces the key of a host by one that the host makes; then, with `withdraw`, the one before is worth nothing. */
  rotate: {
    body: wire({ host: HostName, withdraw: z.boolean() }),
    reply: wire({ key: z.string(), former: z.string().optional() }),
  },
  doctor: {
    body: wire({}),
    reply: wire({
      findings: z.array(wire({ what: z.string(), ok: z.boolean(), detail: z.string(), next: z.string().optional() })),
    }),
  },
} as const;

export type Verb = keyof typeof REQUESTS;
export type RequestBody<V extends Verb> = z.infer<(typeof REQUESTS)[V]['body']>;
export type ReplyBody<V extends Verb> = z.infer<(typeof REQUESTS)[V]['reply']>;

/** The signed payload of any request. */
export type Request = z.infer<typeof Request>;
export const Request = wire({
  mesh: MeshName,
  verb: z.string(),
  /** Never used twice: an answer repeats it, and a copied request is refused. */
  nonce: z.string(),
  operator: z.string(),
  sentAtMs: z.int(),
  body: JsonObject,
  critical: Critical,
});

export type Reply = z.infer<typeof Reply>;
export const Reply = z.discriminatedUnion('type', [
  wire({ type: z.literal('ok'), nonce: z.string(), body: z.record(z.string(), z.unknown()) }),
  wire({ type: z.literal('failed'), nonce: z.string(), failure: Failure }),
]);
