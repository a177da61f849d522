import { subjects } from '@signalbox/protocol';
import { busError } from './codes.ts';
import { dial } from './connect.ts';
import { isNoResponders } from './errors.ts';
import { hostToken, idToken } from './names.ts';
import type { BusOptions, OperatorBus } from './port.ts';
import { answerOf } from './service.ts';

/** @throws SB-BUS-UNREACHABLE, SB-BUS-AUTH, SB-BUS-TOO-OLD, SB-BUS-NO-JETSTREAM, SB-BUS-SUBJECT. */
export async function connectOperator(options: BusOptions): Promise<OperatorBus> {
  hostToken(options.mesh);
  const link = await dial(options);
  const s = subjects(options.mesh);
  return {
    get connected() {
      return link.connected;
    },
    stats: link.stats,
    onConnection: link.onConnection,
    close: link.close,
    async request(verb, data, timeoutMs) {
      const subject = s.request(idToken(verb));
      const answer = await link.exchange(`asking for ${verb}`, async () => {
        try {
          return await link.nc.request(subject, data, { timeout: timeoutMs });
        } catch (error) {
          if (!isNoResponders(error)) throw error;
          throw busError('SB-BUS-NO-COORDINATOR', `no coordinator serves ${verb} on mesh ${options.mesh}`);
        }
      });
      return answerOf(answer);
    },
    async status(handler) {
      await link.ready();
      const subscription = link.nc.subscribe(s.all.status, {
        callback: (error, { subject, data }) => {
          if (error) link.log('warn', 'status subscription failed', { error: error.message });
          else handler(subject, data);
        },
      });
      await link.exchange('subscribing to status', () => link.nc.flush());
      return async () => subscription.unsubscribe();
    },
  };
}
