/** Choices for a random test: numbers from outside, used up in order. When they are used up, always the first choice. */
export class Dice {
  readonly #numbers: readonly number[];
  #next = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get left(): number {
    return Math.max(0, this.#numbers.length - this.#next);
  }

  /** 0 to `sides - 1`. */
  roll(sides: number): number {
    const number = this.#numbers[this.#next] ?? 0;
    this.#next++;
    return number % sides;
  }

  chance(one: number, of: number): boolean {
    return this.roll(of) >= of - one;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.roll(choices.length)] ?? choices[0];
  }
}

/** Numbers from a seed (mulberry32), for runs that have to be the same every time. */
export function seededNumbers(seed: number, count: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  });
}
