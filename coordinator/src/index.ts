export { COORDINATOR_CODES } from './daemon/codes.ts';
export { runCoordinator } from './daemon/main.ts';
export { appendEntry, EMPTY_HEAD, loadRun } from './daemon/run-log.ts';
