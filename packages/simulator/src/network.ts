import { busError } from '@signalbox/bus';
import type { Broker } from './broker.ts';
import type { Life } from './life.ts';
import type { Chance } from './random.ts';

/** How bad the network is: probabilities of one message. */
export interface Weather {
  /** Lost on the way there, or on the way back. */
  loss: number;
  /** Takes seconds instead of milliseconds, and so arrives after later ones. */
  slow: number;
  /** Arrives twice. */
  twice: number;
}

export const FINE: Weather = { loss: 0, slow: 0, twice: 0 };

/** The real client waits so long for a connection, and so long for an answer. */
const CONNECT_WAIT_MS = 5_000;
const ANSWER_WAIT_MS = 5_000;

/** One process's connection to the broker. */
export class Link {
  readonly life: Life;
  readonly broker: Broker;
  readonly #chance: Chance;
  readonly #weather: () => Weather;
  readonly #listeners = new Set<(connected: boolean) => void>();
  #cut = false;

  constructor(life: Life, world: { broker: Broker; chance: Chance; weather: () => Weather }) {
    this.life = life;
    this.broker = world.broker;
    this.#chance = world.chance;
    this.#weather = world.weather;
  }

  get connected(): boolean {
    return this.life.alive && this.broker.up && !this.#cut;
  }

  onConnection(listener: (connected: boolean) => void): void {
    this.#listeners.add(listener);
    listener(this.connected);
  }

  /** Cuts or heals the way between this process and the broker. */
  cut(cut: boolean): void {
    const before = this.connected;
    this.#cut = cut;
    this.noticed(before);
  }

  /** The connection may have come or gone; the process notices. */
  noticed(before: boolean): void {
    const now = this.connected;
    if (now === before) return;
    this.life.reach(() => {
      for (const listener of [...this.#listeners]) listener(now);
    });
  }

  /** How long one message takes from here to the broker or back; undefined: it never arrives. */
  travelMs(): number | undefined {
    if (!this.connected) return undefined;
    const { loss, slow } = this.#weather();
    if (this.#chance.hits(loss)) return undefined;
    return this.#chance.hits(slow) ? this.#chance.between(500, 4_000) : this.#chance.between(1, 20);
  }

  /** A message that nobody waits for. */
  send(arrives: () => void): void {
    const copies = this.#chance.hits(this.#weather().twice) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const ms = this.travelMs();
      if (ms !== undefined) this.life.timeline.in(ms, () => this.broker.up && arrives());
    }
  }

  /** A message from the broker to this process. */
  receive(arrives: () => void): void {
    const copies = this.#chance.hits(this.#weather().twice) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const ms = this.travelMs();
      if (ms !== undefined) this.life.after(ms, arrives);
    }
  }

  /**
   * Something that is asked of the broker and answered. A lost question was never carried out, a lost answer was: the
   * process cannot tell the two apart.
   * @throws SB-BUS-OFFLINE, SB-BUS-TIMEOUT, or what `work` throws.
   */
  async exchange<T>(doing: string, work: () => T): Promise<T> {
    await this.#ready();
    return await this.life.promise<T>((resolve, reject) => {
      const settle = this.#once(doing, resolve, reject);
      const there = this.travelMs();
      if (there === undefined) return;
      this.life.timeline.in(there, () => {
        if (!this.broker.up) return;
        let answer: () => void;
        try {
          const value = work();
          answer = () => settle.resolve(value);
        } catch (error) {
          answer = () => settle.reject(error);
        }
        const back = this.travelMs();
        if (back !== undefined) this.life.timeline.in(back, answer);
      });
    });
  }

  /** The first of: an answer, the end of the connection, the end of patience. */
  #once<T>(doing: string, resolve: (value: T) => void, reject: (error: unknown) => void) {
    const lost = (connected: boolean) => {
      if (!connected) fail(busError('SB-BUS-TIMEOUT', `${doing}: the connection was lost before the answer came`));
    };
    const giveUp = this.life.after(ANSWER_WAIT_MS, () => fail(busError('SB-BUS-TIMEOUT', `${doing}: no answer`)));
    const end = () => {
      giveUp();
      this.#listeners.delete(lost);
    };
    const fail = (error: unknown) => {
      end();
      reject(error);
    };
    this.#listeners.add(lost);
    return {
      resolve: (value: T) => {
        end();
        resolve(value);
      },
      reject: fail,
    };
  }

  #ready(): Promise<void> {
    if (this.connected) return Promise.resolve();
    return this.life.promise((resolve, reject) => {
      const settle = (connected: boolean) => {
        cancel();
        this.#listeners.delete(settle);
        if (connected) resolve();
        else reject(busError('SB-BUS-OFFLINE', `no connection for ${CONNECT_WAIT_MS} ms`));
      };
      const cancel = this.life.after(CONNECT_WAIT_MS, () => settle(false));
      this.#listeners.add(settle);
    });
  }
}
