/** For tests only. */
export { codeOf, LocalHost, requireReal, StandInUnits, until } from '@signalbox/protocol/testing';
export { findPython, makeVenv, makeWheel, type Package } from './pip/real-venv.ts';
