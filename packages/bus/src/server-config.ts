import { type JsonObject, MAX_MESSAGE_BYTES } from '@signalbox/protocol';
import { accounts, type MeshUsers } from './accounts.ts';

export interface ServerConfigOptions {
  mesh: string;
  users: MeshUsers;
  /** JetStream's files; the run log lives here. */
  storeDir: string;
  /** The server writes its ports file here once it takes connections. */
  portsDir: string;
  /** -1: the server takes a free one. */
  port: number;
  /** Port of `/healthz`; -1: a free one. Left out: no HTTP. */
  httpPort?: number;
  /** Bound on JetStream's files. Left out: the server's own, three quarters of the free disk. */
  maxStorageBytes?: number;
}

/** The account of the server itself: who is in it may have the configuration read again. */
const SYSTEM = 'SYS';

export interface FleetConfigOptions {
  mesh: string;
  users: MeshUsers;
  /** nkey of the user that may have the configuration read again. */
  systemKey: string;
  host: string;
  port: number;
  storeDir: string;
  /** Paths of the server's certificate and its key. */
  tls: { certFile: string; keyFile: string };
}

/** Configuration of a server that hosts reach over the network: TLS only, accounts, and durable as the embedded one. */
export function fleetConfig({ mesh, users, systemKey, host, port, storeDir, tls }: FleetConfigOptions): JsonObject {
  return {
    server_name: `signalbox-${mesh}`,
    host,
    port,
    max_payload: MAX_MESSAGE_BYTES,
    tls: { cert_file: tls.certFile, key_file: tls.keyFile, min_version: '1.3' },
    jetstream: { store_dir: storeDir, sync_interval: 'always' },
    system_account: SYSTEM,
    accounts: fleetAccounts(mesh, users, systemKey),
  };
}

/** What of a server's configuration changes when somebody comes or goes. */
export function fleetAccounts(mesh: string, users: MeshUsers, systemKey: string): JsonObject {
  return { ...accounts(mesh, users), [SYSTEM]: { users: [{ nkey: systemKey }] } };
}

/**
 * Configuration of an embedded server, as JSON, which nats-server reads. Loopback only: TLS belongs to a fleet's own NATS.
 * `sync_interval: always` because what was acknowledged must survive a loss of power [I8]; the default syncs every two
 * minutes.
 */
export function serverConfig({ mesh, users, ...options }: ServerConfigOptions): JsonObject {
  return {
    server_name: `signalbox-${mesh}`,
    host: '127.0.0.1',
    port: options.port,
    ...(options.httpPort === undefined ? {} : { http: `127.0.0.1:${options.httpPort}` }),
    ports_file_dir: options.portsDir,
    max_payload: MAX_MESSAGE_BYTES,
    jetstream: {
      store_dir: options.storeDir,
      sync_interval: 'always',
      ...(options.maxStorageBytes === undefined ? {} : { max_file_store: options.maxStorageBytes }),
    },
    accounts: accounts(mesh, users),
  };
}
