import { subjects } from '@signalbox/protocol';
import { busError } from './codes.ts';
import { dial } from './connect.ts';
import { isNoResponders } from './errors.ts';
import { hostToken, tokenAt } from './names.ts';
import type { BusOptions, Unsubscribe } from './port.ts';

/** Position of the token's key in `sb.<mesh>.join.<tokenKey>`. */
const KEY_TOKEN = 3;
const ANSWER_MS = 10_000;

/**
 * Asks to be let in with the key of a token (`seed`); nothing else can be done with it.
 * @throws SB-BUS-AUTH when the token is not open any more, SB-BUS-NO-COORDINATOR, SB-BUS-TIMEOUT.
 */
export async function askToJoin(options: BusOptions, tokenKey: string, data: Uint8Array): Promise<Uint8Array> {
  const link = await dial(options);
  try {
    const subject = subjects(hostToken(options.mesh)).join(tokenKey);
    return await link.exchange('asking to join', async () => {
      try {
        return (await link.nc.request(subject, data, { timeout: ANSWER_MS })).data;
      } catch (error) {
        if (!isNoResponders(error)) throw error;
        throw busError('SB-BUS-NO-COORDINATOR', `no coordinator of mesh ${options.mesh} takes hosts in`);
      }
    });
  } finally {
    await link.close();
  }
}

/** Serves who asks to join, on a connection of its own. `after` is called when the answer is out, or cannot be sent. */
export async function serveJoins(
  options: BusOptions,
  handler: (tokenKey: string, data: Uint8Array) => Promise<{ reply: Uint8Array; after: () => void }>,
): Promise<Unsubscribe> {
  const link = await dial(options);
  link.nc.subscribe(subjects(options.mesh).all.joins, {
    callback: (error, message) => {
      if (error) return link.log('warn', 'subscription to joins failed', { error: error.message });
      void handler(tokenAt(message.subject, KEY_TOKEN), message.data).then(
        async ({ reply, after }) => {
          try {
            if (message.reply) message.respond(reply);
            await link.nc.flush();
          } finally {
            after();
          }
        },
        (failed: unknown) => link.log('error', 'answering a join failed', { error: String(failed) }),
      );
    },
  });
  await link.subscribed('subscribing to joins');
  return () => link.close();
}

/**
 * Has the server that is connected to read its configuration again; who is in it no more is cut off before this resolves.
 * `seed` is that of the user in the system account.
 * @throws SB-BUS-FAILED with what the server says against the configuration; it then goes on with the old one.
 */
export async function reloadServer(options: BusOptions): Promise<void> {
  const link = await dial(options);
  try {
    const id = link.nc.info?.server_id ?? '';
    const answer = await link.exchange('reloading the server', () =>
      link.nc.request(`$SYS.REQ.SERVER.${id}.RELOAD`, '', { timeout: ANSWER_MS }),
    );
    const { error } = answer.json<{ error?: { description?: string } }>();
    if (error) throw busError('SB-BUS-FAILED', `the server does not take the configuration: ${error.description}`);
  } finally {
    await link.close();
  }
}
