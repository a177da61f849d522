export { type SimulationOptions, type SimulationResult, simulate } from './simulation.ts';
