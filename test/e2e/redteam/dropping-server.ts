import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A NATS server whose owner keeps messages from those they are for: it stands between everybody and the real one. Whoever has sent
 * them is told that they are stored.
 */
export class DroppingServer {
  /** Subjects of what nobody has got. */
  readonly dropped: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #unwanted: RegExp[] = [];

  static async before(url: string): Promise<DroppingServer> {
    const { hostname: host, port } = new URL(url);
    const dropping = new DroppingServer({ host, port: Number(port) });
    dropping.#server.listen(0, '127.0.0.1');
    await once(dropping.#server, 'listening');
    return dropping;
  }

  private constructor(real: { readonly host: string; readonly port: number }) {
    this.#server = createServer((near) => {
      const far = connect(real);
      this.#join(near, far, (chunk) => chunk);
      const kept = sieve((subject) => this.#isDropped(subject));
      this.#join(far, near, kept);
    });
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on; `*` is anything within a token. Nothing named: everything passes. */
  drop(...subjects: string[]): void {
    this.#unwanted = subjects.map(
      (subject) => new RegExp(`^${subject.replaceAll('.', '\\.').replaceAll('*', '[^.]+')}$`),
    );
  }

  async end(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(from: Socket, to: Socket, pass: (chunk: Buffer) => Buffer): void {
    this.#sockets.add(from);
    from.on('data', (chunk: Buffer) => void to.write(pass(chunk)));
    from.on('error', () => from.destroy());
    from.once('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  #isDropped(subject: string): boolean {
    const drops = this.#unwanted.some((pattern) => pattern.test(subject));
    if (drops) this.dropped.push(subject);
    return drops;
  }
}

const WITH_PAYLOAD: ReadonlySet<string> = new Set(['MSG', 'HMSG']);

/** Takes what a server says in the protocol of NATS, and gives it without the messages that are dropped. */
function sieve(drops: (subject: string) => boolean): (chunk: Buffer) => Buffer {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const passed: Buffer[] = [];
    for (let end = rest.indexOf('\r\n'); end !== -1; end = rest.indexOf('\r\n')) {
      const [verb = '', subject = '', ...more] = rest.toString('latin1', 0, end).split(' ');
      const isMessage = WITH_PAYLOAD.has(verb);
      const length = end + 2 + (isMessage ? Number(more.at(-1)) + 2 : 0);
      if (rest.length < length) break;
      if (!isMessage || !drops(subject)) passed.push(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    return Buffer.concat(passed);
  };
}
