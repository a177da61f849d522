/** Names under which `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS` show the mesh (`nats micro ls`). */
export const AGENT_SERVICE = 'signalbox-agent';
export const COORDINATOR_SERVICE = 'signalbox-coordinator';
