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
