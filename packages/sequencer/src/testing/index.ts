/** For tests and the simulator only: plans in a few words, a run driven by hand, and how an onlooker reads a plan. */

export { Dice, seededNumbers } from './dice.ts';
export { inSequence, owesUndo } from './oracle.ts';
export * from './plans.ts';
export * from './run.ts';
