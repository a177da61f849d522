/**
 * AWS Secrets Manager, for agents and actions alike. The client is loaded by the first question, so a host that keeps no
 * secret there does not pay for it. Region, address and credentials are those of the agent: its environment
 * (/etc/signalbox/agent.env), or the role of the machine.
 */
export * from './reference.ts';
export * from './secrets-manager.ts';
