import type { OperatorBus } from '@signalbox/bus';
import { Request, SignalboxError } from '@signalbox/protocol';
import { createKeyPair, open, seal } from '@signalbox/protocol/crypto';
import { type MeshClient, meshClient } from '../client.ts';

export const coordinatorKey = createKeyPair();
const operatorKey = createKeyPair();

/** The real client over a bus behind which `reply` stands for a coordinator: it gets the opened request. */
export function clientOver(reply: (request: Request) => Promise<Uint8Array> | Uint8Array): MeshClient {
  const bus: OperatorBus = {
    connected: true,
    onConnection: () => {},
    stats: { reconnects: 0, messagesIn: 0, messagesOut: 0 },
    close: async () => {},
    status: async () => async () => {},
    request: async (_verb, data) =>
      reply(open(data, { kind: 'request', schema: Request, trusts: (key) => key === operatorKey.publicKey }).payload),
  };
  const settings = {
    ca: undefined,
    certificate: undefined,
    mesh: 'prod',
    servers: [],
    seedFile: '',
    operator: 'ayse',
    coordinators: [coordinatorKey.publicKey],
  };
  return meshClient(bus, { ...settings, file: '', seedPath: '', key: operatorKey });
}

/** The same, with answers as plain bodies; what `answer` throws is what the coordinator refuses with. */
export function fakeMesh(answer: (verb: string, body: Request['body']) => object): MeshClient {
  return clientOver(({ verb, nonce, body }) => {
    try {
      return seal('reply', { type: 'ok', nonce, body: answer(verb, body) }, coordinatorKey);
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      return seal('reply', { type: 'failed', nonce, failure: error.failure }, coordinatorKey);
    }
  });
}
