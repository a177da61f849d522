export { type Agent, type AgentOptions, type AgentPorts, createAgent } from './agent.ts';
export { buildCli } from './cli.ts';
export { agentError } from './codes.ts';
export { createSecretValues, redactJson, type SecretValues } from './executor/redact.ts';
export { type Journal, type JournalOptions, openJournal } from './journal/journal.ts';
export { encodeLine, scan } from './journal/line.ts';
export { type JournalView, readJournal } from './journal/read-offline.ts';
export type { RecordBody, Stored } from './journal/records.ts';
export { emptyState, type JournalState, type KnownCommand } from './journal/state.ts';
export { createProofs, type Proofs } from './loop/proof.ts';
export { readSaid, type ToSay } from './messenger/wire.ts';
export { EVERYTHING, type Policy } from './policy/policy.ts';
export { policyForRole } from './policy/roles.ts';
export type {
  Clock,
  Execution,
  ExecutionRequest,
  HostReader,
  Identity,
  JournalStorage,
  Log,
  ProcessGroup,
  Random,
  Toolbox,
  Workbench,
} from './ports.ts';
export { journalPath } from './state-dir.ts';
