import { signAgreement, signStart } from '@signalbox/coordinator';
import { type JsonObject, Reply, type SignedStart, type Verb } from '@signalbox/protocol';
import { open, seal, writeCertificate } from '@signalbox/protocol/crypto';
import { blockers, cellKey, cellOf, indexOf, isEnded, isMoving, type RunState } from '@signalbox/sequencer';
import type { Host } from './host.ts';
import { keyOf } from './keys.ts';
import type { Law } from './law.ts';
import { BEGIN_MS } from './machine.ts';
import type { Chance } from './random.ts';
import type { Switchboard } from './switchboard.ts';
import type { Timeline } from './timeline.ts';

export const PEOPLE: Crowd = { ayse: 'operator', can: 'operator', mehmet: 'approver' };

/** Who starts the run. */
const SUBMITTER = 'ayse';
const START = 'start-1';
const YEAR_MS = 365 * 24 * 3_600_000;

/** Names and roles of those who may ask. */
export type Crowd = Readonly<Record<string, string>>;

/** Looks, after which people stop trying and take the run back, and after which they leave it as it is. */
const GIVE_UP = { undo: 24, leave: 60 } as const;

export interface PeopleOptions {
  readonly mesh: string;
  readonly run: string;
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly switchboard: Switchboard;
  readonly law: Law;
  readonly planText: string;
  readonly crowd: Crowd;
  /** They say yes where they are asked, and decide nothing else: what is held stays held. */
  readonly onlyAnswer: boolean;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly say: (who: string, what: () => string) => void;
}

/**
 * Operators. In the storm they ask for anything at any moment; in the calm they do what the screens tell them: look at a
 * host and say truthfully what became of a step, try again, approve, resume.
 */
export class People {
  readonly #options: PeopleOptions;
  readonly #names: readonly string[];
  #asked = 0;
  #signed: SignedStart | undefined;
  /** How often people have looked at the quiet run. */
  #decided = 0;

  constructor(options: PeopleOptions) {
    this.#options = options;
    this.#names = Object.keys(options.crowd);
  }

  start(): void {
    const { planText } = this.#options;
    this.#signed ??= signStart({ text: planText, start: START, nowMs: BEGIN_MS }, this.#credentialsOf(SUBMITTER));
    this.#ask(SUBMITTER, 'start', { plan: planText, acceptDrift: false, start: START, signed: { ...this.#signed } });
  }

  /** Anything, about any step. What cannot be is refused. */
  meddle(): void {
    const { chance, law } = this.#options;
    const refs = indexOf(law.state.plan).refs;
    const ref = chance.oneOf(refs);
    const step = ref?.leaf.id ?? '';
    const of = { step, ...(ref?.host ? { host: ref.host } : {}), note: 'n' };
    const who = chance.oneOf(this.#names) ?? SUBMITTER;
    const wanted = this.#wanted() ?? step;
    const host = ref?.host ?? 'h1';
    const choices: [() => void, ...(() => void)[]] = [
      () => this.#approve(who, wanted, 'n'),
      () => this.#ask(who, 'confirm', { step: wanted, note: 'n' }),
      () => this.#ask(who, 'resume', {}),
      () => this.#ask(who, 'resume', {}),
      () => this.#ask(who, 'pause', {}),
      () => this.#ask(who, 'retry', of),
      () => this.#ask(who, 'skip', of),
      () => this.#ask(who, 'note', { text: `note ${this.#asked}` }),
      () => this.#ask(who, 'note', { text: `note ${this.#asked}` }),
      () => this.#ask(who, 'take', {}),
      () => this.#ask(who, 'reject', { step: wanted, note: 'no' }),
      () => this.#ask(who, 'abort', { mode: 'undo', ...(this.#asked % 3 === 0 ? { to: step } : {}), note: 'enough' }),
      () => this.#resolve(ref?.host ?? undefined, step),
      () => chance.hits(0.3) && this.#ask(who, 'drop', { host, note: 'n' }),
      () => chance.hits(0.1) && this.#ask(who, 'abort', { mode: 'leave', note: 'enough' }),
    ];
    chance.pick(choices)();
  }

  /** They change a gate while it waits, or has run out of time, or is still to come; or say that they have read the page. */
  reconsider(chance: Chance): void {
    const { law } = this.#options;
    const gates = indexOf(law.state.plan).refs.flatMap(({ leaf }) => (leaf.kind === 'gate' ? [leaf.id] : []));
    const who = chance.oneOf(this.#names) ?? SUBMITTER;
    const step = chance.oneOf(gates);
    if (step === undefined || chance.hits(0.3)) this.#ask(who, 'acknowledge', {});
    else if (chance.hits(0.5)) this.#ask(who, 'adjust', { step, addTimeoutMs: chance.between(1, 60_000), note: 'n' });
    else this.#ask(who, 'adjust', { step, timeoutMs: chance.between(1, 60_000), note: 'n' });
  }

  /** They have done what they could. */
  get gaveUp(): boolean {
    return this.#decided > GIVE_UP.leave;
  }

  /** What the screens of a quiet run ask a person to do. */
  decide(): void {
    const { law, onlyAnswer } = this.#options;
    const { state } = law;
    if (isEnded(state)) return;
    if (!onlyAnswer) this.#decided += 1;
    // Said again, it is the same start: the first request may still be on its way.
    if (state.status === 'planned') this.start();
    else this.#help(state);
  }

  #help(state: RunState): void {
    const { onlyAnswer } = this.#options;
    this.#ask(SUBMITTER, 'live', {});
    if (!onlyAnswer) {
      for (const ref of indexOf(state.plan).refs) {
        if (cellOf(state, ref).phase === 'unknown') this.#resolve(ref.host ?? undefined, ref.leaf.id);
      }
    }
    const wanted = this.#wanted();
    if (wanted !== undefined) {
      for (const who of this.#names) {
        this.#approve(who, wanted, 'yes');
        this.#ask(who, 'confirm', { step: wanted, note: 'done' });
      }
    }
    if (!onlyAnswer) this.#goOn(state);
  }

  /** Again, until it is enough. */
  #goOn(state: RunState): void {
    if (state.status === 'held') {
      for (const { cause, step = '', host } of blockers(state)) {
        const of = { step, ...(host ? { host } : {}), note: 'again' };
        if (cause === 'failed' || cause === 'undo-failed' || cause === 'gate') this.#ask(SUBMITTER, 'retry', of);
      }
    }
    if (this.gaveUp) this.#ask(SUBMITTER, 'abort', { mode: 'leave', note: 'enough' });
    else if (this.#decided > GIVE_UP.undo && state.direction === 'do')
      this.#ask(SUBMITTER, 'abort', { mode: 'undo', note: 'enough' });
    else if (!isMoving(state)) this.#ask(SUBMITTER, 'resume', {});
  }

  /** Somebody looks at the host and says what is there; at a host that is still busy with it, nothing can be said yet. */
  #resolve(host: string | undefined, step: string): void {
    const { law, hosts } = this.#options;
    const on = host === undefined ? undefined : hosts.get(host);
    const ref = indexOf(law.state.plan).byKey.get(cellKey(step, host ?? null));
    if (!on || !ref || on.works(step)) return;
    const { direction } = cellOf(law.state, ref);
    const goal = direction === 'do' || ref.onlyUndo ? 'applied' : 'none';
    const as = on.mark(step) === goal ? 'succeeded' : 'not-done';
    this.#ask(SUBMITTER, 'resolve', { step, host: on.name, as, note: 'seen' });
  }

  #wanted(): string | undefined {
    const { state } = this.#options.law;
    return indexOf(state.plan).refs.find((ref) => {
      const { work, phase } = cellOf(state, ref);
      const waits = phase === 'gated' || phase === 'compensating';
      return waits && (work?.kind === 'approval' || work?.kind === 'manual');
    })?.leaf.id;
  }

  #approve(who: string, step: string, note: string): void {
    const { planText: text, timeline } = this.#options;
    const nowMs = Math.round(BEGIN_MS + timeline.nowMs);
    const signed = signAgreement({ text, start: START, step, nowMs }, this.#credentialsOf(who));
    this.#ask(who, 'approve', { step, signed: { ...signed }, note });
  }

  /** The key of somebody, and what the authority of the mesh says of it. */
  #credentialsOf(name: string) {
    const { mesh, crowd } = this.#options;
    const key = keyOf(name);
    const said = { mesh, name, key: key.publicKey, role: crowd[name] ?? 'viewer' };
    const certificate = { ...said, issuedAtMs: BEGIN_MS, expiresAtMs: BEGIN_MS + YEAR_MS };
    return { key, certificate: writeCertificate(certificate, keyOf('authority')) };
  }

  #ask(operator: string, verb: Verb, body: JsonObject): void {
    const { mesh, run, timeline, switchboard, law, say } = this.#options;
    this.#asked += 1;
    const nonce = `ask-${this.#asked}`;
    const sentAtMs = Math.round(BEGIN_MS + timeline.nowMs);
    const request = { mesh, verb, nonce, operator, sentAtMs, body: verb === 'start' ? body : { run, ...body } };
    say(operator, () => (verb === 'start' ? 'starts the run' : `${verb} ${JSON.stringify(body)}`));
    switchboard.request(verb, seal('request', request, keyOf(operator)), (answer) => {
      if (answer === undefined) return;
      const { payload } = open(answer, { kind: 'reply', schema: Reply, trusts: () => true });
      if (payload.type === 'failed') {
        const { code, message } = payload.failure;
        say(operator, () => `is told: ${code} ${message}`);
      } else if (verb === 'note') law.acknowledged(String(body.text));
    });
  }
}
