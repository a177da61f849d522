import type { Chance } from './random.ts';

/** What begins so does not stay as it is for long: it moves between a look and what is done on its strength. */
export const RESTLESS = 'restless';

/** What can be measured on hosts: true and false in turns while the storm lasts, true for good afterwards. */
export class Truth {
  readonly #chance: Chance;
  readonly #turns = new Map<string, readonly number[]>();
  /** When the storm ends. */
  stormMs = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  at(host: string, what: string, atMs: number): boolean {
    if (atMs >= this.stormMs) return true;
    const turns = this.#turnsOf(`${what}@${host}`);
    return turns.filter((turnMs) => turnMs <= atMs).length % 2 === 0;
  }

  #turnsOf(key: string): readonly number[] {
    const known = this.#turns.get(key);
    if (known) return known;
    const turns: number[] = [];
    let atMs = this.#chance.hits(0.5) ? 0 : this.#chance.between(5_000, 40_000);
    while (atMs < this.stormMs) {
      turns.push(atMs);
      atMs += key.startsWith(RESTLESS) ? this.#chance.between(700, 4_000) : this.#chance.between(4_000, 30_000);
    }
    this.#turns.set(key, turns);
    return turns;
  }
}
