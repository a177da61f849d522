import { AGENT_CODES, failWith } from '@signalbox/protocol';

export const agentError = failWith(AGENT_CODES);
