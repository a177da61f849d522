/** For tests only: plans in a few words, and a run that is driven by hand. */
export * from './plans.ts';
export * from './run.ts';
