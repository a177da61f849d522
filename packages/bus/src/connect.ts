import { setTimeout as delay } from 'node:timers/promises';
import { SignalboxError } from '@signalbox/protocol';
import { keyPairFromSeed, type Signer } from '@signalbox/protocol/crypto';
import { type Authenticator, type ConnectionOptions, connect, ErrorCode, type NatsConnection, NatsError } from 'nats';
import { inboxPrefix } from './accounts.ts';
import { backoffMs } from './backoff.ts';
import { busError } from './codes.ts';
import { type Link, makeLink } from './link.ts';
import type { BusOptions } from './port.ts';
import { isSupported, MIN_SERVER_VERSION } from './version.ts';

/** A server that hangs is noticed after two missed pings, 10 to 15 s; the client's default takes minutes. */
const PING_EVERY_MS = 5_000;
const MAX_PINGS_OUT = 2;
/** Bound on one try at one server. */
const TRY_TIMEOUT_MS = 3_000;
/** A server that is being reconfigured, because a host joins or goes, refuses any key for a moment. */
const REFUSALS_BELIEVED = 3;
const REFUSED_PAUSE_MS = 250;

/**
 * Connects, trying again with back-off until `connectTimeoutMs` is over, and from then on reconnects without end.
 * @throws SB-BUS-UNREACHABLE, SB-BUS-AUTH (within a second: waiting does not make a key known), SB-BUS-TOO-OLD, SB-BUS-NO-JETSTREAM.
 */
export async function dial(options: BusOptions): Promise<Link> {
  const { seed } = options;
  const key = () => {
    const present = typeof seed === 'string' ? seed : seed();
    return typeof present === 'string' ? keyPairFromSeed(present) : present;
  };
  const startedAt = performance.now();
  let refusals = 0;
  for (let attempt = 0; ; attempt++) {
    try {
      const nc = await tryOnce(options, key);
      await refuseUnfitServer(nc);
      return makeLink(nc, options.log ?? (() => {}));
    } catch (error) {
      refuseHopeless(error, options);
      if (isRefusal(error)) {
        refusals += 1;
        if (refusals === REFUSALS_BELIEVED) throw refused(error, options);
        await pause(REFUSED_PAUSE_MS, options);
        continue;
      }
      const leftMs = options.connectTimeoutMs - (performance.now() - startedAt);
      if (options.connectTimeoutMs !== 0 && leftMs <= 0) throw unreachable(error, options);
      const reason = error instanceof Error ? error.message : String(error);
      if (attempt === 0)
        options.log?.('warn', 'NATS does not answer; trying again', { servers: options.servers, reason });
      const waitMs = options.connectTimeoutMs === 0 ? backoffMs(attempt) : Math.min(backoffMs(attempt), leftMs);
      await pause(waitMs, options);
    }
  }
}

async function tryOnce({ servers, name, ca, inbox, jwt }: BusOptions, key: () => Signer): Promise<NatsConnection> {
  return await connect({
    servers,
    name,
    ...(ca === undefined ? {} : { tls: { ca } }),
    authenticator: authenticator(key, jwt),
    inboxPrefix: inboxPrefix(inbox ?? key().publicKey),
    ...persistence(),
    // A stack trace a request costs more than the request.
    noAsyncTraces: true,
  });
}

/** However long NATS cannot be reached: a daemon waits for its mesh, and a mesh does not come back in one instant. */
export function persistence(random?: () => number) {
  let tries = 0;
  return {
    // The default of 10 closes the connection for good.
    maxReconnectAttempts: -1,
    reconnectDelayHandler: () => backoffMs(tries++ % 8, random),
    pingInterval: PING_EVERY_MS,
    maxPingOut: MAX_PINGS_OUT,
    // A server that is being reconfigured may refuse a key for a moment.
    ignoreAuthErrorAbort: true,
    timeout: TRY_TIMEOUT_MS,
  } satisfies ConnectionOptions;
}

/** Signs through node:crypto: the client's own implementation takes 12 ms, and 200 agents at once then time out. */
function authenticator(present: () => Signer, jwt: string | undefined): Authenticator {
  return (nonce) => {
    const key = present();
    const sig = nonce === undefined ? '' : Buffer.from(key.sign(Buffer.from(nonce))).toString('base64');
    return { nkey: key.publicKey, sig, ...(jwt === undefined ? {} : { jwt }) };
  };
}

async function refuseUnfitServer(nc: NatsConnection): Promise<void> {
  const { version, jetstream } = nc.info ?? { version: 'unknown', jetstream: false };
  const old = !isSupported(version);
  if (!old && jetstream === true) return;
  const where = nc.getServer();
  await nc.close();
  if (old) throw busError('SB-BUS-TOO-OLD', `the server at ${where} is ${version}; ${MIN_SERVER_VERSION} is needed`);
  throw busError('SB-BUS-NO-JETSTREAM', `the server at ${where} has JetStream switched off`);
}

async function pause(ms: number, { signal }: BusOptions): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {});
}

function refuseHopeless(error: unknown, { signal }: BusOptions): void {
  if (signal?.aborted) throw signal.reason;
  if (error instanceof SignalboxError) throw error;
}

function isRefusal(error: unknown): boolean {
  const codes: string[] = [ErrorCode.AuthorizationViolation, ErrorCode.BadAuthentication];
  return error instanceof NatsError && codes.includes(error.code);
}

function refused(error: unknown, { servers, name }: BusOptions) {
  return busError('SB-BUS-AUTH', `${servers.join(', ')} does not accept the key of ${name}`, { cause: error });
}

function unreachable(error: unknown, { servers, connectTimeoutMs }: BusOptions) {
  const said = error instanceof Error ? error.message : String(error);
  const tried = `tried ${servers.join(', ')} for ${connectTimeoutMs} ms`;
  return busError('SB-BUS-UNREACHABLE', `no NATS server: ${tried}: ${said}`, { cause: error });
}
