import type { Point } from '@signalbox/protocol/points';
import { type Kept, pause } from './kept.ts';
import type { Strike, Target } from './strikes.ts';
import type { Place, Trap, Traps } from './traps.ts';
import type { Cable, SmallDisk } from './yard.ts';

/** A strike that fell. */
export interface Struck {
  readonly type: Strike['type'];
  readonly target: Target;
  /** Where the program was; left out: anywhere. */
  readonly point?: Point;
  readonly atMs: number;
  /** When it was started again, woken, connected, or had room. */
  readonly backAtMs: number;
}

/** A program of ours, which passes points. */
export interface Struckable {
  readonly kept: Kept;
  readonly traps: Traps;
}

export interface StrikerOptions {
  readonly agents: readonly Struckable[];
  readonly coordinators: readonly Struckable[];
  readonly nats: Kept;
  /** What is left out cannot be had on this machine, or not on this night. */
  readonly cable: Cable | undefined;
  readonly disks: { readonly agent: { disk: SmallDisk; kept: Kept } | undefined; readonly nats: SmallDisk | undefined };
}

/** How long a point may take to be passed before the strike falls anyhow. */
const PATIENCE_MS = 3_000;
/** The same after a death, for what is passed as the program comes back. */
const START_MS = 6_000;
/** Points that are passed only after a death in the middle of work: where it has to die first. */
const BEFORE: { readonly [P in Point]?: Point } = {
  'agent.recovery.begun': 'agent.process.started',
  'agent.recovery.probed': 'agent.process.started',
};
const LOOK_MS = 10;

type Kill = Extract<Strike, { moment: unknown }>;
type AtPoint = Omit<Extract<Kill['moment'], { type: 'point' }>, 'type'>;

/** Carries strikes out, each to the moment when the victim is back. */
export class Striker {
  readonly #options: StrikerOptions;
  #traps = 0;

  constructor(options: StrikerOptions) {
    this.#options = options;
  }

  async strike(strike: Strike): Promise<Struck[]> {
    switch (strike.type) {
      case 'kill':
      case 'stop':
        return await this.#hit(strike);
      case 'full-disk':
        return await (strike.target === 'nats' ? this.#fillNats(strike) : this.#fillAgent(strike));
      case 'cut':
        return await this.#cut(strike);
    }
  }

  async #hit(strike: Kill): Promise<Struck[]> {
    const { moment } = strike;
    await pause(strike.restMs);
    if (moment.type === 'random') {
      await pause(moment.afterMs);
      return [await this.#fall(strike)];
    }
    const earlier = BEFORE[moment.point];
    if (earlier === undefined) return await this.#springOrFall(strike, moment);
    const trap = await this.#lay(strike, moment, strike.target === 'nats' ? 'nats' : 'self-later');
    const first = await this.#springOrFall(
      { ...strike, type: 'kill', target: 'agent' },
      { point: earlier, passage: 1 },
    );
    return [...first, ...(await trap.sprung(START_MS))];
  }

  async #springOrFall(strike: Kill, moment: AtPoint): Promise<Struck[]> {
    const trap = await this.#lay(strike, moment, strike.target === 'nats' ? 'nats' : 'self');
    const struck = await trap.sprung(PATIENCE_MS);
    return struck.length > 0 ? struck : [await this.#fall(strike)];
  }

  /** A strike that falls now, wherever its victim is. */
  async #fall(strike: Kill): Promise<Struck> {
    const victim = this.#victim(strike);
    const pid = await pidOf(victim);
    const { restarts } = victim;
    victim.stayAway(strike.forMs);
    const atMs = Date.now();
    process.kill(pid, strike.type === 'kill' ? 'SIGKILL' : 'SIGSTOP');
    return await this.#back(strike, { victim, restarts, atMs });
  }

  async #back(
    { type, target, forMs }: Kill,
    { victim, restarts, atMs }: { victim: Kept; restarts: number; atMs: number },
  ): Promise<Struck> {
    if (type === 'kill') await victim.restarted(restarts);
    else {
      await pause(forMs);
      if (victim.pid !== undefined) process.kill(victim.pid, 'SIGCONT');
    }
    return { type, target, atMs, backAtMs: Date.now() };
  }

  #victim({ target, number }: Kill): Kept {
    if (target === 'nats') return this.#options.nats;
    const programs = target === 'agent' ? this.#options.agents : this.#options.coordinators;
    const one = programs[number % programs.length];
    if (!one) throw new Error(`there is no ${target}`);
    return one.kept;
  }

  /** Whichever program passes the point first is struck, or NATS at that moment. */
  async #lay(strike: Kill, { point, passage }: AtPoint, place: Place) {
    const { type, target } = strike;
    const { agents, coordinators, nats } = this.#options;
    const programs = point.startsWith('agent.') ? agents : coordinators;
    this.#traps += 1;
    const aim = target === 'nats' ? { pid: await pidOf(nats) } : {};
    const signal = type === 'kill' ? 'SIGKILL' : 'SIGSTOP';
    const trap: Trap = { id: `${place}-${this.#traps}`, point, passage, signal, ...aim };
    for (const { traps } of programs) traps.lay(place, trap);
    const victimOf = ({ kept }: Struckable) => (target === 'nats' ? nats : kept);
    for (const program of programs) victimOf(program).stayAway(strike.forMs);
    const restarts = () => new Map(programs.map((program) => [program, victimOf(program).restarts]));
    return {
      /** Waits so long for the trap to spring, takes it away, and waits until its victims are back: sometimes two. */
      sprung: async (forMs: number): Promise<Struck[]> => {
        const hit = () => programs.filter(({ traps }) => traps.sprung(place));
        let before = restarts();
        for (const until = performance.now() + forMs; hit().length === 0 && performance.now() < until; ) {
          before = restarts();
          await pause(LOOK_MS);
        }
        for (const { traps } of programs) traps.remove(place);
        const atMs = Date.now();
        return await Promise.all(
          hit().map(async (program) => {
            const fallen = { victim: victimOf(program), restarts: before.get(program) ?? 0, atMs };
            return { ...(await this.#back(strike, fallen)), point };
          }),
        );
      },
    };
  }

  async #fillAgent({ afterMs, forMs }: { afterMs: number; forMs: number }): Promise<Struck[]> {
    const { agent } = this.#options.disks;
    if (!agent) return [];
    return [await this.#fill('agent', { ...agent, afterMs, forMs })];
  }

  async #fillNats({ afterMs, forMs }: { afterMs: number; forMs: number }): Promise<Struck[]> {
    const { disks, nats } = this.#options;
    if (!disks.nats) return [];
    return [await this.#fill('nats', { disk: disks.nats, kept: nats, afterMs, forMs })];
  }

  /** Full for a while; then somebody makes room and starts the program again, as its messages say. */
  async #fill(
    target: Target,
    { disk, kept, afterMs, forMs }: { disk: SmallDisk; kept: Kept; afterMs: number; forMs: number },
  ): Promise<Struck> {
    await pause(afterMs);
    const atMs = Date.now();
    disk.fill();
    await pause(forMs);
    disk.empty();
    const { restarts } = kept;
    if (kept.pid !== undefined) process.kill(kept.pid, 'SIGTERM');
    await kept.restarted(restarts);
    return { type: 'full-disk', target, atMs, backAtMs: Date.now() };
  }

  async #cut({ afterMs, forMs }: { afterMs: number; forMs: number }): Promise<Struck[]> {
    const { cable } = this.#options;
    if (!cable) return [];
    await pause(afterMs);
    const atMs = Date.now();
    cable.cut();
    await pause(forMs);
    cable.mend();
    return [{ type: 'cut', target: 'agent', atMs, backAtMs: Date.now() }];
  }
}

/** Of a program that may be about to be started. */
async function pidOf(kept: Kept): Promise<number> {
  for (;;) {
    if (kept.pid !== undefined) return kept.pid;
    await pause(LOOK_MS);
  }
}
