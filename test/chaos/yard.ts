import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { createServer, connect as dial, type Server } from 'node:net';
import { join } from 'node:path';

const OUR_END = { link: 'yard0', address: '10.77.0.1' };
const THEIR_END = { link: 'host0', address: '10.77.0.2' };
const NATS_PORT = 4222;
const SPACE = 'cut-off';
const CHUNK = Buffer.alloc(65_536);

/** Makes new namespaces fit to live in: their loopback is down, and names of network namespaces would be left in `/run`. */
export function furnishNamespaces(): void {
  must('ip', 'link', 'set', 'lo', 'up');
  must('mount', '-t', 'tmpfs', 'tmpfs', '/run');
}

/** @throws Error with what the program said. */
function must(program: string, ...args: string[]): void {
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

/** A small disk of its own, which can be filled to the last byte. */
export class SmallDisk {
  readonly dir: string;

  static mount(dir: string, megabytes: number): SmallDisk {
    mkdirSync(dir, { recursive: true });
    must('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'tmpfs', dir);
    return new SmallDisk(dir);
  }

  private constructor(dir: string) {
    this.dir = dir;
  }

  fill(): void {
    const filler = openSync(this.#filler, 'w');
    try {
      for (;;) writeSync(filler, CHUNK);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      closeSync(filler);
    }
  }

  empty(): void {
    rmSync(this.#filler, { force: true });
  }

  get #filler(): string {
    return join(this.dir, 'filler');
  }
}

/**
 * A host behind a cable: a network namespace whose only link to the rest can be pulled. What is on its way is then lost
 * without a word, as on a real network; nobody gets a reset.
 */
export class Cable {
  /** Where the host finds NATS. */
  readonly url = `nats://${OUR_END.address}:${NATS_PORT}`;
  readonly #relay: Server;
  /** NATS's own port on loopback, which the relay at our end of the cable reaches. */
  natsPort: number | undefined;

  static async lay(): Promise<Cable> {
    must('ip', 'netns', 'add', SPACE);
    must('ip', 'link', 'add', OUR_END.link, 'type', 'veth', 'peer', 'name', THEIR_END.link, 'netns', SPACE);
    must('ip', 'addr', 'add', `${OUR_END.address}/24`, 'dev', OUR_END.link);
    must('ip', '-n', SPACE, 'addr', 'add', `${THEIR_END.address}/24`, 'dev', THEIR_END.link);
    for (const link of ['lo', THEIR_END.link]) must('ip', '-n', SPACE, 'link', 'set', link, 'up');
    must('ip', 'link', 'set', OUR_END.link, 'up');
    const cable = new Cable();
    await new Promise<void>((resolve, reject) => {
      cable.#relay.once('error', reject).listen(NATS_PORT, OUR_END.address, resolve);
    });
    return cable;
  }

  private constructor() {
    this.#relay = createServer((near) => {
      if (this.natsPort === undefined) return void near.destroy();
      const far = dial(this.natsPort, '127.0.0.1');
      near.pipe(far).pipe(near);
      near.on('error', () => far.destroy()).on('close', () => far.destroy());
      far.on('error', () => near.destroy()).on('close', () => near.destroy());
    });
  }

  /** What a program is started with to run on the host. */
  get before(): readonly string[] {
    return ['ip', 'netns', 'exec', SPACE];
  }

  cut(): void {
    must('ip', 'link', 'set', OUR_END.link, 'down');
  }

  mend(): void {
    must('ip', 'link', 'set', OUR_END.link, 'up');
  }

  close(): void {
    this.#relay.close();
  }
}
