import type { AuditLog } from '@signalbox/bus';
import { type Actor, OutputChunk, REQUESTS, type ReplyBody, type RequestBody, type Verb } from '@signalbox/protocol';
import { seal } from '@signalbox/protocol/crypto';
import { passPoint } from '@signalbox/protocol/points';
import type { Input } from '@signalbox/sequencer';
import { z } from 'zod';
import { Access, type Asker, failureOf, isReading, mayAsk } from './access.ts';
import type { Audit } from './audit.ts';
import { coordinatorError } from './codes.ts';
import type { CoordinatorConfig } from './config.ts';
import { diagnoseMesh } from './doctor.ts';
import type { Enrolment } from './enrolment.ts';
import type { Hosts } from './hosts.ts';
import type { Members } from './members.ts';
import type { Ports } from './ports.ts';
import type { HostQueries } from './queries.ts';
import { attest, readAudit, readRecord } from './record.ts';
import { Routing } from './routing.ts';
import { parsePlan } from './run-log.ts';
import type { Runs } from './runs.ts';
import { refuseUnsignedApproval } from './signed-approval.ts';
import { refuseUnsigned } from './signed-start.ts';
import { findDrift, refuseAbsentHosts, refuseClosedWindow, refuseOtherRunbook } from './start.ts';

/** A reply to `log` stays below this, far under the bus's bound. */
const LOG_REPLY_BYTES = 512 * 1_024;
const OUTPUT_CHUNKS = 200;

interface World {
  readonly ports: Ports;
  readonly hosts: Hosts;
  readonly runs: Runs;
  readonly members: Members;
  readonly queries: HostQueries;
  readonly version: string;
  /** Absent: hosts stand in the settings alone. */
  readonly enrolment?: Enrolment | undefined;
  /** Absent: nobody keeps what was asked. */
  readonly audit?: { readonly writer: Audit; readonly log: AuditLog } | undefined;
}

type Answerers = { readonly [V in Verb]: (body: RequestBody<V>, by: Actor) => Promise<ReplyBody<V>> };

/** Serves what operators ask. Each verb is checked, admitted, carried out, and answered signed. */
export async function serveRequests(
  world: World,
  config: Pick<CoordinatorConfig, 'mesh' | 'operators'>,
): Promise<void> {
  const { ports, members } = world;
  const access = new Access(config, ports.clock);
  const answerers = makeAnswerers(world);
  const routing = new Routing(ports, members);
  const verbs = Object.keys(REQUESTS) as Verb[];
  await routing.serve();
  await ports.bus.serve(verbs, async (name, data) => {
    const { nonce, run, host } = claimedBy(data);
    let by: Asker | undefined;
    try {
      if (!(await routing.isMine({ verb: name, run }))) return undefined;
      const verb = verbs.find((v) => v === name);
      if (!verb) throw coordinatorError('SB-COORD-VERB', `this coordinator does not know ${name}`);
      const { actor, request } = access.identify(verb, data);
      by = actor;
      mayAsk(actor, verb);
      const body = await answer(answerers, verb, { body: request.body, actor });
      passPoint('coordinator.request.decided');
      // A start is about the run that it has made.
      const about = run ?? ('run' in body ? String(body.run) : undefined);
      await world.audit?.writer.write({ verb, run: about, host, by, data });
      ports.log[isReading(verb) ? 'debug' : 'info']({ verb, run, by, granted: true }, 'request granted');
      return seal('reply', { type: 'ok', nonce: request.nonce, body }, ports.signer);
    } catch (error) {
      const failure = failureOf(error);
      // Who it was is known only where the signature was good; a claimed name is not written down as one.
      ports.log.info({ verb: name, run, by, granted: false, code: failure.code }, failure.message);
      // Deposed while it was asked: the one that leads now was asked the same, and its answer must be the one that counts.
      if (failure.code === 'SB-COORD-DEPOSED' && run !== undefined && members.leaderOf(run)) return undefined;
      await world.audit?.writer.write({ verb: name, run, host, by, failure, data });
      return seal('reply', { type: 'failed', nonce, failure }, ports.signer);
    }
  });
}

/**
 * What a request that may not even be signed claims: its nonce is repeated in a refusal, so that whoever asked knows that
 * it is the answer to that question; its run says who has to answer, and with its host it is written down. Nothing more is
 * believed of it.
 */
function claimedBy(data: Uint8Array): { nonce: string; run?: string | undefined; host?: string | undefined } {
  try {
    const { payload } = Claimed.parse(JSON.parse(Buffer.from(data).toString('utf8')));
    const { nonce, body } = ClaimedPayload.parse(JSON.parse(payload));
    return { nonce, run: body?.run, host: body?.host };
  } catch {
    return { nonce: '' };
  }
}

const Claimed = z.object({ payload: z.string() });
const ClaimedPayload = z.object({
  nonce: z.string().max(200),
  body: z
    .object({
      run: z.string().max(200).optional().catch(undefined),
      host: z.string().max(200).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

async function answer<V extends Verb>(
  answerers: Answerers,
  verb: V,
  { body, actor }: { body: unknown; actor: Actor },
): Promise<object> {
  const parsed = REQUESTS[verb].body.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw coordinatorError('SB-COORD-VERB', `${verb}: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  return await answerers[verb](parsed.data as RequestBody<V>, actor);
}

function makeAnswerers({ ports, hosts, runs, members, queries, version, enrolment, audit }: World): Answerers {
  const tell = async (run: string, input: Input): Promise<Record<string, never>> => {
    const runner = await runs.led(run);
    await runner.submit(input);
    return {};
  };
  return {
    ping: async () => ({ coordinator: ports.name, version, nowMs: ports.clock.wallMs(), leading: runs.leading }),
    hosts: async () => {
      const roll = await hosts.roll();
      return { nowMs: ports.clock.wallMs(), hosts: roll, problems: [] };
    },
    runs: async () => ({ runs: await runs.summaries() }),
    start: async ({ plan: text, acceptDrift, start, signed, note }, by) => {
      const plan = parsePlan(text);
      if (plan.mesh !== ports.mesh)
        throw coordinatorError('SB-COORD-MESH', `the plan is for mesh ${plan.mesh}, this is ${ports.mesh}`);
      refuseOtherRunbook(plan);
      // A run that has begun has changed its hosts: asked for again, it would seem to have drifted from its own plan.
      const begun = await runs.begun(start, text);
      if (begun) return { ...begun, drift: [] };
      refuseClosedWindow(plan, ports.clock.wallMs());
      await hosts.settled(plan.hosts.map((host) => host.name));
      refuseAbsentHosts(plan, hosts);
      refuseUnsigned({ plan, text, start, signed, by }, { hosts, nowMs: ports.clock.wallMs() });
      const drift = await findDrift(plan, queries);
      if (drift.length > 0 && !(acceptDrift && note)) {
        throw coordinatorError('SB-COORD-DRIFT', drift.join('; '), { details: { drift } });
      }
      const created = await runs.create(text, {
        by,
        start,
        ...(signed === undefined ? {} : { signed }),
        ...(note === undefined ? {} : { note }),
        ...(drift.length > 0 ? { accepted: drift } : {}),
      });
      return { ...created, drift };
    },
    log: async ({ run, from, plan }) => {
      const { entries, planText } = await runs.load(run);
      const page = [];
      let bytes = plan ? planText.length : 0;
      for (const entry of entries.slice(from)) {
        bytes += JSON.stringify(entry).length;
        if (page.length > 0 && bytes > LOG_REPLY_BYTES) break;
        page.push(entry);
      }
      const more = from + page.length < entries.length;
      return { entries: page, more, ...(plan ? { plan: planText } : {}) };
    },
    live: async ({ run }) => {
      const runner = await runs.led(run);
      const monotonicMs = ports.clock.monotonicMs();
      const gates = runner.effects.samplers.live().map(({ step, host, samples, heldMs, missing }) => ({
        step,
        host,
        samples: samples.map((s) => ({ ageMs: Math.round(monotonicMs - s.monotonicMs), values: s.values })),
        heldMs: Math.round(heldMs),
        ...(missing ? { missing } : {}),
      }));
      return { nowMs: ports.clock.wallMs(), runMs: runner.runMs(), gates };
    },
    output: async ({ run, step, host, from }) => {
      const { chunks, next } = await ports.bus.readOutput(run, from, OUTPUT_CHUNKS);
      const read = chunks.flatMap(({ sequence, data }) => {
        const parsed = OutputChunk.safeParse(JSON.parse(Buffer.from(data).toString('utf8')));
        if (!parsed.success || (step && parsed.data.step !== step) || (host && parsed.data.host !== host)) return [];
        const { step: of, host: on, atMs, text, gapBytes } = parsed.data;
        return [{ sequence, step: of, host: on, atMs, text, ...(gapBytes === undefined ? {} : { gapBytes }) }];
      });
      return { chunks: read, next };
    },
    sample: async ({ host, probe, with: input, timeoutMs }) => await queries.sample(host, probe, input, timeoutMs),
    check: async ({ host, action, with: input, timeoutMs }) => ({
      result: await queries.check(host, action, input, timeoutMs),
    }),
    approve: async ({ run, step, signed, note }, by) => {
      const { state } = await runs.led(run);
      await hosts.settled(state.plan.hosts.map(({ name }) => name));
      refuseUnsignedApproval({ state, step, signed, by }, { hosts, nowMs: ports.clock.wallMs() });
      return await tell(run, { type: 'approve', step, by, note, signed });
    },
    reject: ({ run, step, note }, by) => tell(run, { type: 'reject', step, by, note }),
    confirm: ({ run, step, note }, by) => tell(run, { type: 'confirm', step, by, note }),
    pause: ({ run, note }, by) => tell(run, { type: 'pause', by, note }),
    resume: ({ run, note }, by) => tell(run, { type: 'resume', by, note }),
    retry: ({ run, step, host, note }, by) => tell(run, { type: 'retry', step, host, by, note }),
    skip: ({ run, step, host, note }, by) => tell(run, { type: 'skip', step, host, by, note }),
    resolve: ({ run, step, host, note, as }, by) => tell(run, { type: 'resolve', as, step, host, by, note }),
    drop: ({ run, host, note }, by) => tell(run, { type: 'drop', host, by, note }),
    abort: ({ run, mode, to, note }, by) => tell(run, { type: 'abort', mode, to, by, note }),
    adjust: ({ run, ...change }, by) => tell(run, { type: 'adjust', by, ...change }),
    note: ({ run, text }, by) => tell(run, { type: 'note', by, text }),
    take: ({ run }, by) => tell(run, { type: 'take', by }),
    acknowledge: ({ run }, by) => tell(run, { type: 'acknowledge', by }),
    record: (body) => readRecord(ports.bus, body),
    attest: async ({ run, counts }) => {
      const { planText } = await runs.load(run);
      return { seal: await attest(ports, { run, counts, plan: planText }) };
    },
    audit: async (range) => (audit ? await readAudit(audit.log, range) : { texts: [] }),
    enroll: ({ host, labels, tokenKey, expiresAtMs }, by) =>
      must(enrolment).invite({ host, labels, tokenKey, expiresAtMs, by: by.name }),
    revoke: ({ host, note }, by) => must(enrolment).revoke(host, { by: by.name, note }),
    rotate: ({ host, withdraw }, by) =>
      withdraw ? must(enrolment).withdraw(host, by.name) : must(enrolment).rotate(host, by.name),
    doctor: async () => ({ findings: await diagnoseMesh({ ports, hosts, runs, members }) }),
  };
}

function must(enrolment: Enrolment | undefined): Enrolment {
  if (enrolment === undefined)
    throw coordinatorError('SB-ENROL-OFF', 'this coordinator has no `enrolment` in its settings');
  return enrolment;
}
