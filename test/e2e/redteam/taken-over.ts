import { connect, type Socket } from 'node:net';
import { commandId, type Report } from '@signalbox/protocol';
import { until } from '@signalbox/protocol/testing';
import type { World } from '../support/world.ts';
import { payloadOf } from './server-owner.ts';

interface Told {
  readonly type: string;
  readonly [field: string]: unknown;
}

/**
 * Whoever has taken over the process that speaks to the network for a host: says to its runner what they like. They have no
 * key of anybody.
 */
export class TakenOver {
  readonly told: Told[] = [];
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #sent = 0;

  /** In the place of the messenger, once there is a runner. */
  static async of({ mesh }: World, host: string): Promise<TakenOver> {
    const socket = await until('the runner to listen', () => dial(mesh.socketOf(host)));
    const taken = new TakenOver(socket);
    taken.say({ type: 'here' });
    await until('the runner to say where the mesh is', () => taken.told.some(({ type }) => type === 'connect'));
    taken.say({ type: 'connected', connected: true });
    return taken;
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => void socket.once('close', () => resolve()));
    let rest = '';
    socket.on('error', () => socket.destroy());
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(JSON.parse(line) as Told);
    });
  }

  say(message: object): void {
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /** As if the mesh had sent it, to who listens. Resolves when the runner has made up its mind. */
  async deliver(lane: 'commands' | 'controls', id: string, data: Uint8Array): Promise<Told> {
    await until(`the runner to listen to ${lane}`, () =>
      this.told.some((one) => one.type === 'listen' && one.lane === lane),
    );
    this.#sent += 1;
    const n = this.#sent;
    this.say({ type: 'delivery', lane, n, id, data: Buffer.from(data).toString('base64') });
    return await until(`the runner to take or refuse ${id}`, () =>
      this.told.find((one) => one.type === 'settle' && one.n === n && one.verdict !== 'handled'),
    );
  }

  async ask(verb: string, data: Uint8Array): Promise<Told> {
    await until(`the runner to answer ${verb}`, () =>
      this.told.some((one) => one.type === 'serve' && one.verb === verb),
    );
    this.#sent += 1;
    const n = this.#sent;
    this.say({ type: 'query', verb, n, data: Buffer.from(data).toString('base64') });
    return await until(`an answer to ${verb}`, () =>
      this.told.find((one) => (one.type === 'answer' || one.type === 'unanswered') && one.n === n),
    );
  }

  reports(): Report[] {
    const sealed = this.told.filter(({ type }) => type === 'report');
    return sealed.map(({ data }) => payloadOf<Report>(Buffer.from(String(data), 'base64')));
  }

  /** The code that a command is refused with. */
  async refusalOf(of: { run: string; step: string; host: string; direction: 'do' | 'undo'; attempt: number }) {
    const id = commandId(of);
    const report = await until(`${id} to be refused`, () =>
      this.reports().find((said) => said.type === 'refused' && said.commandId === id),
    );
    return report.type === 'refused' ? report.failure.code : '';
  }

  leave(): void {
    this.#socket.destroy();
  }

  #hear(order: Told): void {
    this.told.push(order);
    if (order.type === 'report') this.say({ type: 'done', n: order.n });
  }
}

function dial(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}
