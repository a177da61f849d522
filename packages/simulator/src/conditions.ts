import type { Weather } from './network.ts';

/** What the day is like at this moment. Only `Faults` changes it; everybody else holds it read-only. */
export interface Conditions {
  /** Things may go wrong. Once it is over, it does not come back. */
  storm: boolean;
  weather: Weather;
}
