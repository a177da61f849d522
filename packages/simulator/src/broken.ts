/** An invariant is broken. `rule` is its number. */
export class Broken extends Error {
  readonly rule: string;

  constructor(rule: string, what: string) {
    super(`[${rule}] ${what}`);
    this.rule = rule;
  }
}

/** @throws Broken when it does not hold. */
export function must(rule: string, holds: boolean, what: string): asserts holds {
  if (!holds) throw new Broken(rule, what);
}
