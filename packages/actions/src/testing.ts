/** For tests only. */
export { codeOf, LocalHost, requireReal, StandInUnits, until } from '@signalbox/protocol/testing';
