import { type JsonObject, STREAMS, subjects } from '@signalbox/protocol';
import { AGENT_SERVICE } from './service-names.ts';

export interface MeshUser {
  name: string;
  /** nkey of the user, `U...`. */
  publicKey: string;
}

/** Everybody who may connect, by the account that they live in. */
export interface MeshUsers {
  /** Coordinators: they own streams, logs and buckets. */
  core: readonly MeshUser[];
  /** One a host; the name is the host's. */
  agents: readonly MeshUser[];
  operators: readonly MeshUser[];
  monitors: readonly MeshUser[];
  /** Keys of tokens that are still open: each may ask once to be let in, and nothing else. */
  joins?: readonly MeshUser[];
}

/** The account names of a mesh. */
export const ACCOUNTS = {
  core: 'CORE',
  agents: 'AGENTS',
  operators: 'OPS',
  monitors: 'MONITOR',
  joins: 'JOIN',
} as const;

/** How long an agent may think about a query before the server takes back its leave to answer. */
const ANSWER_WITHIN = '2m';

/**
 * The accounts of a mesh as nats-server configuration.
 *
 * Four accounts and not one, because the server does not check the *reply* subject of a request: in a shared account an
 * agent that may only report can name `$JS.API.STREAM.DELETE.RUN` as the reply, and the server's own answer does it.
 * Across a service import the reply is mapped to a subject that leads back to the asking account and nowhere else.
 * Nothing that agents publish reaches CORE by a *stream* import: that would open the same hole again.
 */
export function accounts(mesh: string, users: MeshUsers): JsonObject {
  const { all } = subjects(mesh);
  const pulls = [STREAMS.commands, STREAMS.controls].map((stream) => `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`);
  const acks = [STREAMS.commands, STREAMS.controls].map((stream) => `$JS.ACK.${stream}.>`);
  const onlyAgents = { accounts: [ACCOUNTS.agents] };
  const onlyOperators = { accounts: [ACCOUNTS.operators] };
  const { joins = [] } = users;

  const agentsToCore = [...pulls, ...acks, all.reports, all.outputs, all.health];
  const coreToAgents = [all.queries, '$SRV.>'];

  return {
    [ACCOUNTS.core]: {
      jetstream: 'enabled',
      users: users.core.map(({ publicKey }) => ({ nkey: publicKey })),
      exports: [
        ...agentsToCore.map((service) => ({
          service,
          ...onlyAgents,
          // A pull is answered by as many messages as it asked for.
          ...(pulls.includes(service) ? { response_type: 'stream' } : {}),
        })),
        { stream: all.live, ...onlyAgents },
        { service: all.requests, ...onlyOperators },
        { service: all.joins, accounts: [ACCOUNTS.joins] },
        { stream: all.status, accounts: [ACCOUNTS.operators, ACCOUNTS.monitors] },
      ],
      imports: coreToAgents.map((subject) => ({ service: { account: ACCOUNTS.agents, subject } })),
    },
    [ACCOUNTS.agents]: {
      users: users.agents.map((user) => agentUser(mesh, user)),
      exports: coreToAgents.map((service) => ({
        service,
        response_type: 'stream',
        accounts: [ACCOUNTS.core],
      })),
      imports: [
        ...agentsToCore.map((subject) => ({ service: { account: ACCOUNTS.core, subject } })),
        { stream: { account: ACCOUNTS.core, subject: all.live } },
      ],
    },
    [ACCOUNTS.operators]: {
      users: users.operators.map((user) => operatorUser(mesh, user)),
      imports: [
        { service: { account: ACCOUNTS.core, subject: all.requests } },
        { stream: { account: ACCOUNTS.core, subject: all.status } },
      ],
    },
    [ACCOUNTS.monitors]: {
      users: users.monitors.map(({ publicKey }) => ({
        nkey: publicKey,
        permissions: { publish: { deny: '>' }, subscribe: { allow: [all.status] } },
      })),
      imports: [{ stream: { account: ACCOUNTS.core, subject: all.status } }],
    },
    [ACCOUNTS.joins]: {
      users: joins.map((user) => joiningUser(mesh, user)),
      imports: [{ service: { account: ACCOUNTS.core, subject: all.joins } }],
    },
  };
}

/** The inbox that a user's requests are answered to; each has its own, so that nobody hears another's answers. */
export function inboxPrefix(owner: string): string {
  return `_INBOX_${owner}`;
}

function agentUser(mesh: string, { name, publicKey }: MeshUser): JsonObject {
  const s = subjects(mesh);
  const lanes = [STREAMS.commands, STREAMS.controls];
  return {
    nkey: publicKey,
    permissions: {
      publish: {
        allow: [
          ...lanes.map((stream) => `$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`),
          ...lanes.map((stream) => `$JS.ACK.${stream}.${name}.>`),
          s.reportsOfHost(name),
          s.outputsOfHost(name),
          s.health(name),
        ],
      },
      subscribe: {
        allow: [
          `${inboxPrefix(publicKey)}.>`,
          // The same one with any key of the host, so that a key can be replaced under a connection.
          `${inboxPrefix(name)}.>`,
          s.liveCommandsOf(name),
          s.liveControlsOf(name),
          s.queriesOf(name),
          '$SRV.PING',
          '$SRV.INFO',
          '$SRV.STATS',
          `$SRV.*.${AGENT_SERVICE}`,
          `$SRV.*.${AGENT_SERVICE}.*`,
        ],
      },
      allow_responses: { max: 1, expires: ANSWER_WITHIN },
    },
  };
}

function joiningUser(mesh: string, { publicKey }: MeshUser): JsonObject {
  return {
    nkey: publicKey,
    permissions: {
      publish: { allow: [subjects(mesh).join(publicKey)] },
      subscribe: { allow: [`${inboxPrefix(publicKey)}.>`] },
    },
  };
}

function operatorUser(mesh: string, { publicKey }: MeshUser): JsonObject {
  const { all } = subjects(mesh);
  return {
    nkey: publicKey,
    permissions: {
      publish: { allow: [all.requests] },
      subscribe: { allow: [`${inboxPrefix(publicKey)}.>`, all.status] },
    },
  };
}
