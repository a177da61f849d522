import { connect, type NatsConnection, nkeyAuthenticator } from 'nats';
import { onTestFinished } from 'vitest';

/** What anybody needs to connect: where, and who they are. */
export interface Credentials {
  readonly url: string;
  readonly seed: string;
  readonly publicKey: string;
}

/** A NATS client with nothing of Signalbox in it. */
export async function bareClient({ url, seed, publicKey }: Credentials): Promise<NatsConnection> {
  const authenticator = nkeyAuthenticator(new TextEncoder().encode(seed));
  const connection = await connect({ servers: url, authenticator, inboxPrefix: `_INBOX_${publicKey}` });
  onTestFinished(() => connection.close());
  return connection;
}
