import type { ExclusiveGuard, GateStep, Plan, PlanStep } from '@signalbox/protocol';
import {
  action,
  approval,
  batches,
  forEach,
  gate,
  manual,
  parallel,
  plan,
  point,
  record,
  serial,
} from '@signalbox/sequencer/testing';
import { BEGIN_MS } from './machine.ts';
import type { Chance } from './random.ts';
import { ACTIVE, ActInput } from './tools.ts';
import { RESTLESS } from './truth.ts';

/** A resource that may be in use on one host only, and the two steps that move it [I10]. */
export interface Moved {
  readonly resource: string;
  readonly from: { readonly host: string; readonly step: string };
  readonly to: { readonly host: string; readonly step: string };
}

export interface PlannedDay {
  readonly plan: Plan;
  readonly moved: readonly Moved[];
}

const HOSTS: [string, ...string[]] = ['h1', 'h2', 'h3'];

/** A small plan with some of everything that plans are made of: what breaks, breaks with few steps. */
export function randomPlan(chance: Chance): PlannedDay {
  const maker = new PlanMaker(chance);
  const steps: PlanStep[] = [];
  const count = chance.between(1, 4);
  for (let i = 0; i < count; i++) steps.push(...maker.part());
  const onFailure = chance.hits(0.15) ? 'hold' : 'rollback';
  // All of them have a part in it, also those that have nothing to do.
  const hosts = HOSTS.map((name) => ({ name, labels: {}, journal: '', machine: '', key: '' }));
  return { plan: { ...plan(steps, { onFailure }), hosts }, moved: maker.moved };
}

/** Few plans have a window. It opens soon, and ends before most runs on a bad day do; its chance is one of its own. */
export function drawWindow(chance: Chance): Pick<Plan, 'window'> {
  if (!chance.hits(0.1)) return {};
  const notBeforeMs = BEGIN_MS + chance.between(0, 15_000);
  return { window: { notBeforeMs, notAfterMs: notBeforeMs + chance.between(5_000, 60_000) } };
}

class PlanMaker {
  readonly #chance: Chance;
  readonly moved: Moved[] = [];
  #guards: string[] = [];
  #count = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  part(): PlanStep[] {
    const chance = this.#chance;
    switch (chance.between(0, 11)) {
      case 0:
        return [this.#gate()];
      case 1:
        return [
          approval(this.#id('ask'), {
            count: chance.between(1, 2),
            ...(chance.hits(0.5) ? { validForMs: 30_000 } : {}),
          }),
        ];
      case 2:
        return this.#fenced();
      case 3:
        return this.#pointOfNoReturn();
      case 4:
        return this.#move();
      case 5:
        return [parallel(this.#id('both'), [this.#action(), this.#action()])];
      case 6:
        return [this.#batch()];
      case 7: {
        const id = this.#id('each');
        return [forEach(id, ['x', 'y'], { make: (instance) => [this.#action(instance)] })];
      }
      case 8:
        return [serial(this.#id('on-the-way-back'), [this.#action()], { only: 'undo' }), this.#action()];
      case 9:
        return [
          chance.hits(0.5) ? manual(this.#id('by-hand'), { undo: 'back' }) : record(this.#id('note'), this.#hosts()),
        ];
      default:
        return [this.#action()];
    }
  }

  #action(id = this.#id('s'), hosts = this.#hosts()): PlanStep {
    const chance = this.#chance;
    const effect = chance.fraction();
    return own(
      action(id, hosts, {
        timeoutMs: 20_000,
        retry: { attempts: chance.between(1, 2), backoffMs: 1_000, retryOn: [] },
        ...(effect > 0.92 ? { effect: 'idempotent', reversible: false } : {}),
      }),
    );
  }

  #gate(options: Parameters<typeof gate>[2] = {}): GateStep {
    const chance = this.#chance;
    const id = this.#id('gate');
    return gate(id, this.#hosts(), {
      with: { what: id },
      forMs: chance.pick([0, 2_000, 4_000]),
      timeoutMs: 30_000,
      onTimeout: chance.hits(0.5) ? 'hold' : 'rollback',
      ...options,
    });
  }

  /** A fence, what it protects, and the step until which it is watched. */
  #fenced(): PlanStep[] {
    const until = this.#id('s');
    const fence = this.#gate({ holdUntil: until, onBreak: this.#chance.pick(['hold', 'rollback']), forMs: 0 });
    this.#guards.push(fence.id);
    return [fence, this.#action(), this.#action(until)];
  }

  /** With guards of its own, and what it is crossed for on the same hosts: what moves there in between has to be noticed. */
  #pointOfNoReturn(): PlanStep[] {
    const chance = this.#chance;
    const own = this.#gate({ forMs: 0, with: { what: this.#id(RESTLESS) } });
    const guarded = chance.hits(0.7) ? [own] : [];
    const guards = [...this.#guards.slice(-2), ...guarded.map(({ id }) => id)];
    this.#guards = [];
    const approve = chance.hits(0.5) ? { approve: { count: 1 } } : {};
    const hosts = own.targets.map(({ host }) => host);
    return [...guarded, point(this.#id('no-way-back'), guards, approve), this.#action(this.#id('s'), hosts)];
  }

  /** Stopped here, proven stopped, started there; and the same on the way back. */
  #move(): PlanStep[] {
    const [resource, off, on] = [this.#id('key'), this.#id('off'), this.#id('on')];
    const [from, to] = ['h1', 'h2'];
    this.moved.push({ resource, from: { host: from, step: off }, to: { host: to, step: on } });
    const guard = (direction: 'do' | 'undo', host: string): ExclusiveGuard => ({
      resource,
      direction,
      probe: ACTIVE,
      with: { resource },
      hosts: [host],
      until: { active: { equals: false } },
    });
    const options = { timeoutMs: 20_000 };
    return [
      own(action(off, from, { ...options, exclusive: [guard('undo', to)] })),
      own(action(on, to, { ...options, exclusive: [guard('do', from)] })),
    ];
  }

  #batch(): PlanStep {
    const id = this.#id('each-host');
    const make = (hosts: string[]) => [own(action(id, hosts, { timeoutMs: 20_000 }))];
    return batches(this.#id('batch'), [['h1'], ['h2', 'h3']], { make, maxFailures: this.#chance.between(0, 1) });
  }

  #hosts(): string[] {
    const first = this.#chance.between(0, 2);
    return HOSTS.slice(first, first + this.#chance.between(1, 2));
  }

  #id(word: string): string {
    this.#count += 1;
    return `${word}-${this.#count}`;
  }
}

/** An action of the simulated host is about the step that it belongs to. */
function own(step: ReturnType<typeof action>): PlanStep {
  const input = ActInput.parse({ id: step.id });
  return { ...step, targets: step.targets.map((target) => ({ ...target, with: input })) };
}
