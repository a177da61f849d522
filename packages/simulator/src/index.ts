export { type Campaign, campaign } from './campaign.ts';
export { makeSignaturesCheap } from './keys.ts';
export { type SimulationOptions, type SimulationResult, simulate } from './simulation.ts';
