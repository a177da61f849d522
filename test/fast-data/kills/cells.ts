/** Somebody who is killed, and the step that is under way then. */
export interface Kill {
  /** Without the items of groups. */
  readonly step: string;
  readonly victim: string;
}

/** A step, and who can be killed at it. */
export interface Choice {
  readonly step: string;
  readonly victims: readonly string[];
}

const nameOf = ({ step, victim }: Kill): string => `${step} ${victim}`;

/** Who is still to be killed, and at which step. A run takes one at each of its steps. */
export class Cells {
  readonly #choices: readonly Choice[];
  readonly #left: Set<string>;

  constructor(choices: readonly Choice[], isWanted: (kill: Kill) => boolean = () => true) {
    this.#choices = choices;
    const all = choices.flatMap(({ step, victims }) => victims.map((victim) => ({ step, victim })));
    this.#left = new Set(all.filter(isWanted).map(nameOf));
  }

  /** Steps that somebody is still to be killed at, in order. */
  get steps(): string[] {
    return this.#choices.filter(({ step }) => this.left.some((kill) => kill.step === step)).map(({ step }) => step);
  }

  get left(): Kill[] {
    const all = this.#choices.flatMap(({ step, victims }) => victims.map((victim) => ({ step, victim })));
    return all.filter((kill) => this.#left.has(nameOf(kill)));
  }

  /** Who is killed at a step in this pass: each step and each pass begins with the next one of them. */
  take(step: string, pass: number): string | undefined {
    const at = this.#choices.findIndex((choice) => choice.step === step);
    const victims = this.#choices[at]?.victims ?? [];
    const inTurn = victims.map((_, i) => victims[(at + pass + i) % victims.length] ?? '');
    const victim = inTurn.find((name) => this.#left.has(nameOf({ step, victim: name })));
    if (victim !== undefined) this.#left.delete(nameOf({ step, victim }));
    return victim;
  }
}
