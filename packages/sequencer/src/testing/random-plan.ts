import type { ExclusiveGuard, GateStep, Plan, PlanStep } from '@signalbox/protocol';
import type { Dice } from './dice.ts';
import { action, approval, batches, forEach, gate, manual, parallel, plan, point, record, serial } from './plans.ts';

const HOSTS: [string, ...string[]] = ['h1', 'h2', 'h3'];

/** A plan with every kind of step, group and batch, as `dice` falls. Points of no return stand at the top. */
export function randomPlan(dice: Dice): Plan {
  const make = new PlanMaker(dice);
  const steps: PlanStep[] = [];
  const count = 1 + dice.roll(6);
  for (let i = 0; i < count; i++) {
    steps.push(dice.chance(1, 8) ? make.point() : make.node(2));
    if (dice.chance(1, 5)) steps.push(...make.fence(i));
  }
  const onFailure = dice.chance(1, 6) ? 'hold' : 'rollback';
  return plan(steps, { onFailure });
}

class PlanMaker {
  readonly #dice: Dice;
  #count = 0;
  #guards: string[] = [];

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  node(depth: number): PlanStep {
    const dice = this.#dice;
    if (depth === 0 || dice.chance(5, 8)) return this.leaf(this.hosts(), this.id('s'));
    const id = this.id('g');
    switch (dice.roll(4)) {
      case 0:
        return serial(id, this.nodes(depth), dice.chance(1, 8) ? { only: 'undo' } : {});
      case 1:
        return parallel(id, this.nodes(depth), dice.chance(1, 2) ? { limit: 1 + dice.roll(2) } : {});
      case 2:
        return forEach(id, ['x', 'y'], { make: (instance) => [this.leaf(this.hosts(), instance)] });
      default: {
        const shapes = this.leafMakers(1 + dice.roll(3));
        const make = (hosts: string[]) => shapes.map((shape) => shape(hosts));
        return batches(id, [['h1'], ['h2', 'h3']], { maxFailures: dice.roll(3), make });
      }
    }
  }

  point(): PlanStep {
    const dice = this.#dice;
    const guards = [...this.#guards];
    return point(this.id('p'), guards, dice.chance(1, 2) ? { approve: { count: 1 + dice.roll(2) } } : {});
  }

  /** A fence, a gate that relies on it, and the step that it protects. */
  fence(i: number): PlanStep[] {
    const dice = this.#dice;
    const until = `until-${i}`;
    const fence = gate(`f-${i}`, this.hosts(), { holdUntil: until, onBreak: dice.pick(['hold', 'rollback']) });
    const relies = gate(`v-${i}`, 'h1', { validWhile: [fence.id] });
    this.#guards.push(fence.id, relies.id);
    return [fence, relies, this.leaf(this.hosts(), this.id('s')), action(until, this.hosts())];
  }

  private nodes(depth: number): PlanStep[] {
    return Array.from({ length: 1 + this.#dice.roll(3) }, () => this.node(depth - 1));
  }

  /** The same steps for every share of a batch, so their shapes are thrown once. */
  private leafMakers(count: number): ((hosts: string[]) => PlanStep)[] {
    return Array.from({ length: count }, () => {
      const id = this.id('b');
      const throws = [this.#dice.roll(64), this.#dice.roll(64), this.#dice.roll(64)];
      return (hosts: string[]) =>
        shapedLeaf(hosts, id, { kind: throws[0] ?? 0, effect: throws[1] ?? 0, more: throws[2] ?? 0 });
    });
  }

  private leaf(hosts: string[], id: string): PlanStep {
    const dice = this.#dice;
    switch (dice.roll(12)) {
      case 0:
        return approval(id, { count: 1 + dice.roll(2), ...(dice.chance(1, 2) ? { validForMs: 60_000 } : {}) });
      case 1:
        return manual(id, dice.chance(1, 2) ? { undo: `undo ${id}` } : {});
      default:
        return shapedLeaf(hosts, id, { kind: dice.roll(64), effect: dice.roll(64), more: dice.roll(64) });
    }
  }

  private hosts(): string[] {
    const first = this.#dice.roll(3);
    const some = HOSTS.slice(first, first + 1 + this.#dice.roll(3));
    return some.length > 0 ? some : ['h1'];
  }

  private id(letter: string): string {
    return `${letter}${this.#count++}`;
  }
}

function shapedLeaf(
  hosts: string[],
  id: string,
  { kind, effect, more }: Record<'kind' | 'effect' | 'more', number>,
): PlanStep {
  const only = more % 8 === 7 ? ({ only: 'undo' } as const) : {};
  if (kind % 8 === 6) return record(id, hosts, only);
  if (kind % 8 === 7) {
    const onTimeout: GateStep['onTimeout'] = more % 2 === 0 ? 'hold' : 'rollback';
    return gate(id, hosts, { onTimeout, ...only });
  }
  const others = HOSTS.filter((host) => !hosts.includes(host));
  const guard: ExclusiveGuard = {
    resource: `key-${id}`,
    direction: effect % 2 === 0 ? 'do' : 'undo',
    probe: 'stopped',
    with: {},
    hosts: others,
    until: { active: { equals: false } },
  };
  return action(id, hosts, {
    ...effects(effect),
    retry: { attempts: 1 + (more % 3), backoffMs: 1_000, retryOn: [] },
    exclusive: more % 16 === 3 ? [guard] : [],
    ...only,
  });
}

function effects(effect: number) {
  switch (effect % 16) {
    case 13:
      return { effect: 'read', reversible: false } as const;
    case 14:
      return { effect: 'idempotent', reversible: false } as const;
    case 15:
      return { effect: 'irreversible', reversible: false } as const;
    default:
      return {};
  }
}
