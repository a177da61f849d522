/** For tests only. */
export { codeOf, LocalHost, requireReal, StandInUnits, until } from '@signalbox/protocol/testing';
export { findDocker, RealDocker } from './docker/real-docker.ts';
export { findPython, makeVenv, makeWheel, type Package } from './pip/real-venv.ts';
