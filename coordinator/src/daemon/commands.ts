import { type Command, type Control, DEFAULTS, type PlanHost, SignalboxError } from '@signalbox/protocol';
import { seal } from '@signalbox/protocol/crypto';
import { passPoint } from '@signalbox/protocol/points';
import { cellKey, type Effect, type RunState } from '@signalbox/sequencer';
import { signableOf } from '../signable.ts';
import type { EffectContext } from './effect-context.ts';

type Of<T extends Effect['type']> = Extract<Effect, { type: T }>;

const RESEND_MS = 1_000;

/**
 * Puts commands and controls on the bus. Each is sent once a leadership; a second copy would do no harm [I1], so
 * whenever the bus cannot say whether it has one, it is sent again.
 */
export class Commands {
  readonly #context: EffectContext;
  /** Sent, or being sent, by this leader. */
  readonly #sent = new Set<string>();
  #stopped = false;

  constructor(context: EffectContext) {
    this.#context = context;
  }

  reconcile(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'command') this.#once(effect.work.id, () => this.#sendCommand(effect));
      if (effect.type === 'void') this.#once(`void ${effect.commands.join(' ')}`, () => this.#sendVoid(effect));
      if (effect.type === 'vote') this.#once(`vote ${effect.round} ${effect.host}`, () => this.#sendVote(effect));
      if (effect.type === 'release')
        this.#once(`release ${effect.round} ${effect.host}`, () => this.#sendRelease(effect));
      if (effect.type === 'seal') this.#seal(effect);
      if (effect.type === 'closed') this.#once('closed', () => this.#sendClosed(effect));
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** A new leader announces its epoch on every host, so that nobody obeys the old one any more [I6]. */
  fence(): void {
    for (const host of this.#context.state().plan.hosts) {
      this.#once(`fence ${this.#context.state().epoch} ${host.name}`, () =>
        this.#sendControl(host, { type: 'fence', id: 'fence' }),
      );
    }
  }

  #once(key: string, send: () => Promise<void>): void {
    if (this.#sent.has(key)) return;
    this.#sent.add(key);
    this.#untilSent(key, send);
  }

  #untilSent(key: string, send: () => Promise<void>): void {
    const { clock, log } = this.#context.ports;
    send().catch((error: unknown) => {
      // Another leader's copy of the same command is there already; its host will refuse or report it by epoch.
      if (this.#stopped || (error instanceof SignalboxError && error.code === 'SB-BUS-ID-CONFLICT')) return;
      log.warn({ run: this.#context.state().run, what: key, err: error }, 'not sent yet');
      clock.after(RESEND_MS, () => this.#untilSent(key, send));
    });
  }

  async #sendCommand({ host: name, step, direction, attempt, work, sealed, approvals }: Of<'command'>): Promise<void> {
    const { ports, state } = this.#context;
    // Between two tries the run may have changed its mind.
    const host = this.#host(name);
    if (!host || this.#stopped || state().cells.get(cellKey(step, name))?.work !== work) return;
    const command: Command = {
      ...this.#authority(host),
      id: work.id,
      step,
      direction,
      attempt,
      planHash: state().planHash,
      notAfterMs: work.notAfterMs,
      timeoutMs: work.timeoutMs,
      action: work.action,
      version: work.version,
      with: work.with,
      ...(work.receipt ? { receipt: work.receipt } : {}),
      // Only an agent that knows what to look at may begin it.
      ...(work.crossing ? { crossing: work.crossing, critical: ['crossing'] } : {}),
      ...proofOf(state(), cellKey(step, name), approvals),
      ...(sealed === undefined ? {} : { prerequisites: [...sealed] }),
    };
    // Kept beyond its time: the agent that follows one which died with it is given it again, and says that it was not begun.
    const ttlMs = Math.max(1_000, work.notAfterMs - ports.clock.wallMs()) + 2 * DEFAULTS.ackWaitMs;
    passPoint('coordinator.command.sending');
    await ports.bus.sendCommand(name, work.id, seal('command', command, ports.signer), ttlMs);
    passPoint('coordinator.command.stored');
  }

  async #sendVoid({ host: name, commands, reason }: Of<'void'>): Promise<void> {
    const host = this.#host(name);
    if (host)
      await this.#sendControl(host, {
        type: 'void',
        id: `void-${commands.join('+')}`,
        commands: [...commands],
        reason,
      });
  }

  async #sendVote({ type, host: name, ...asked }: Of<'vote'>): Promise<void> {
    const host = this.#host(name);
    if (!host || this.#stopped) return;
    await this.#sendControl(host, { type, id: `vote-${asked.round}`, ...asked, guards: [...asked.guards] });
  }

  async #sendRelease({ type, host: name, round }: Of<'release'>): Promise<void> {
    const host = this.#host(name);
    if (host) await this.#sendControl(host, { type, id: `release-${round}`, round });
  }

  #seal({ type, hosts, step, round }: Of<'seal'>): void {
    for (const name of hosts) {
      const host = this.#host(name);
      const send = async () => host && (await this.#sendControl(host, { type, id: `seal-${round}`, step, round }));
      this.#once(`seal ${round} ${name}`, send);
    }
  }

  async #sendClosed({ hosts, outcome }: Of<'closed'>): Promise<void> {
    for (const name of hosts) {
      const host = this.#host(name);
      if (host) await this.#sendControl(host, { type: 'closed', id: 'closed', outcome });
    }
  }

  async #sendControl(host: PlanHost, body: ControlBody): Promise<void> {
    const { ports, state } = this.#context;
    const control: Control = { ...this.#authority(host), ...body, id: controlId(state(), body.id) };
    await ports.bus.sendControl(host.name, control.id, seal('control', control, ports.signer));
  }

  #authority(host: PlanHost) {
    const { ports, state, head } = this.#context;
    const { mesh, run, epoch, nonce } = state();
    return {
      mesh,
      run,
      host: host.name,
      epoch,
      nonce,
      head: head(),
      journal: host.journal,
      machine: host.machine,
      sentAtMs: ports.clock.wallMs(),
    };
  }

  #host(name: string): PlanHost | undefined {
    return this.#context.state().plan.hosts.find((host) => host.name === name);
  }
}

/** That an operator has signed the plan, that this is in it, and that people have agreed to what comes before it. */
function proofOf(
  { plan, signed }: RunState,
  key: string,
  approvals: Of<'command'>['approvals'],
): Pick<Command, 'proof'> {
  if (signed === undefined) return {};
  const { actions, tree } = signableOf(plan);
  const action = actions.get(key);
  if (!action) return {};
  const agreed = approvals === undefined ? {} : { approvals: [...approvals] };
  return { proof: { ...signed, action: action.text, path: tree.pathTo(action.index), ...agreed } };
}

/** Of one leadership: a leader of the same epoch, after the log has lost its end, is not taken for this one. */
export function controlId({ run, epoch, nonce }: Pick<RunState, 'run' | 'epoch' | 'nonce'>, name: string): string {
  return `${run}-${epoch}-${nonce}-${name}`;
}

type Body<C> = C extends Control
  ? Omit<C, 'mesh' | 'run' | 'host' | 'epoch' | 'nonce' | 'head' | 'journal' | 'machine' | 'sentAtMs' | 'critical'>
  : never;
type ControlBody = Body<Control>;
