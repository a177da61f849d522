export { CLI_CODES } from './cli/codes.ts';
export { COORDINATOR_CODES } from './daemon/codes.ts';
export { Hosts } from './daemon/hosts.ts';
export { runCoordinator } from './daemon/main.ts';
export type { Clock, Ports } from './daemon/ports.ts';
export { HostQueries } from './daemon/queries.ts';
export { serveRequests } from './daemon/requests.ts';
export { appendEntry, EMPTY_HEAD, loadRun } from './daemon/run-log.ts';
export { Runs } from './daemon/runs.ts';
