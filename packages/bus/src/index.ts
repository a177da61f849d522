export * from './accounts.ts';
export { type AgentBusOptions, connectAgent } from './agent-bus.ts';
export type { AuditLog } from './audit-log.ts';
export * from './codes.ts';
export { type CoordinatorBusOptions, connectCoordinator, type MeshBus } from './coordinator-bus.ts';
export * from './embedded-server.ts';
export * from './enrolment.ts';
export type { LaneTiming } from './lane.ts';
export * from './local-mesh.ts';
export { connectOperator } from './operator-bus.ts';
export * from './port.ts';
export { findServerBinary, type ServerBinary } from './server-binary.ts';
export {
  type FleetConfigOptions,
  fleetAccounts,
  fleetConfig,
  type ServerConfigOptions,
  serverConfig,
} from './server-config.ts';
export * from './service-names.ts';
export { STREAM_LIMITS, type StreamLimits } from './streams.ts';
