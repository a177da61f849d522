import type { CoordinatorContext } from './context.ts';
import { isNoResponders } from './errors.ts';
import { idToken } from './names.ts';
import type { CoordinatorBus } from './port.ts';

type Peers = Pick<CoordinatorBus, 'servePeer' | 'askPeer'>;

/** Coordinators among themselves, inside their own account: agents and operators can neither hear nor ask. */
export function peers({ link, subjects }: CoordinatorContext): Peers {
  return {
    async servePeer(peer, handler) {
      await link.ready();
      const subscription = link.nc.subscribe(subjects.peer(idToken(peer)), {
        callback: (error, message) => {
          if (error) return link.log('warn', 'listening to coordinators failed', { error: error.message });
          handler(message.data).then(
            (answer) => link.connected && message.respond(answer),
            (failed: unknown) => link.log('error', 'answering a coordinator failed', { error: String(failed) }),
          );
        },
      });
      await link.subscribed('listening to coordinators');
      return async () => subscription.unsubscribe();
    },

    async askPeer(peer, question, timeoutMs) {
      const subject = subjects.peer(idToken(peer));
      return await link.exchange(`asking coordinator ${peer}`, async () => {
        try {
          return (await link.nc.request(subject, question, { timeout: timeoutMs })).data;
        } catch (error) {
          if (isNoResponders(error)) return undefined;
          throw error;
        }
      });
    },
  };
}
