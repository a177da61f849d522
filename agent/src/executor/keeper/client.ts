import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { agentError } from '../../codes.ts';
import type { Clock, ProcessGroup } from '../../ports.ts';
import { throughFolder } from './through-folder.ts';
import {
  type Exit,
  type KeeperMessage,
  lineOf,
  lineReader,
  READY,
  readMessage,
  SOCKET_NAME,
  type StartRequest,
} from './wire.ts';

/** Two that end and begin at the same moment may miss each other; not more often than this. */
const TRIES = 5;
const PAUSE_MS = 100;

/** A request that was sent to a keeper. */
export interface Kept {
  /** Who got it. */
  keeper: ProcessGroup;
  /** The process; undefined when there is none, or the keeper was gone before it said so. */
  started: Promise<ProcessGroup | undefined>;
  /** Undefined when the keeper was gone before it said so: the disk may know. */
  exit: Promise<Exit | undefined>;
}

/** The agent's way to its keeper, which is started when there is none. */
export interface KeeperClient {
  /** @throws SB-AGENT-KEEPER when no keeper can be had: then nothing was started. */
  start(request: Omit<StartRequest, 'id'>): Promise<Kept>;
  close(): void;
}

export interface KeeperClientOptions {
  /** Folder of the socket. */
  folder: string;
  /** The built program. */
  program: string;
  clock: Clock;
}

export function createKeeperClient(options: KeeperClientOptions): KeeperClient {
  let line: Promise<Line> | undefined;

  async function connected(): Promise<Line> {
    const present = await line;
    if (present?.usable) return present;
    line = getLine(options);
    line.catch(() => {
      line = undefined;
    });
    return await line;
  }

  return {
    start: async (request) => (await connected()).send(request),
    close: () => void line?.then((open) => open.close()).catch(() => {}),
  };
}

/** @throws SB-AGENT-KEEPER */
async function getLine(options: KeeperClientOptions): Promise<Line> {
  const { folder, clock } = options;
  let reason = '';
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      return await openLine(folder);
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    const said = await startKeeper(options);
    if (said !== undefined) reason = said;
    if (tries > 0) await new Promise<void>((resolve) => void clock.after(PAUSE_MS, resolve));
  }
  throw agentError('SB-AGENT-KEEPER', `no process can be started: ${reason}`);
}

/** Resolves when it can be connected to, or has left the place to another one. @returns what it complained about. */
async function startKeeper({ folder, program }: KeeperClientOptions): Promise<string | undefined> {
  // Loaded by the first step: an idle agent is light.
  const { execa } = await import('execa');
  const child = execa(process.execPath, [program, folder], {
    ...{ detached: true, cleanup: false, reject: false, extendEnv: false, env: {}, cwd: '/' },
    ...{ stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', buffer: false },
  });
  child.unref();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-1_000);
  });
  const ready = await new Promise<boolean>((resolve) => {
    child.stdout.once('data', (data: Buffer) => resolve(data.toString() === READY));
    void child.then(() => resolve(false));
  });
  child.stdout.destroy();
  child.stderr.destroy();
  return ready || said === '' ? undefined : said;
}

interface Line {
  readonly usable: boolean;
  send(request: Omit<StartRequest, 'id'>): Kept;
  close(): void;
}

interface Asked {
  started: (group: ProcessGroup | undefined) => void;
  ended: (exit: Exit | undefined) => void;
}

async function openLine(folder: string): Promise<Line> {
  const socket = await throughFolder(folder, (short) => dial(join(short, SOCKET_NAME)));
  const open = new Map<number, Asked>();
  let usable = true;
  let requests = 0;
  let greet: (keeper: ProcessGroup) => void = () => {};
  let refuse: (error: Error) => void = () => {};
  const greeted = new Promise<ProcessGroup>((resolve, reject) => {
    greet = resolve;
    refuse = reject;
  });

  function take(message: KeeperMessage): void {
    const asked = message.type === 'keeper' ? undefined : open.get(message.id);
    switch (message.type) {
      case 'keeper':
        greet({ pid: message.pid, startTicks: message.startTicks });
        return;
      case 'started':
        asked?.started({ pid: message.pid, startTicks: message.startTicks });
        return;
      case 'ended':
        open.delete(message.id);
        asked?.started(message.process);
        asked?.ended(message.exit);
        return;
    }
  }

  socket.setEncoding('utf8');
  const read = lineReader((text) => take(readMessage(text)));
  socket.on('data', (text: string) => {
    try {
      read(text);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : undefined);
    }
  });
  // The keeper goes: what was sent before is still done, and its end is on disk.
  socket.on('end', () => {
    usable = false;
  });
  socket.on('error', refuse);
  socket.once('close', () => {
    usable = false;
    refuse(new Error('the keeper went away'));
    for (const { started, ended } of open.values()) {
      started(undefined);
      ended(undefined);
    }
    open.clear();
  });
  // An idle connection keeps no agent from ending.
  socket.unref();
  const keeper = await greeted;

  return {
    get usable() {
      return usable;
    },
    close: () => void socket.destroy(),
    send(request) {
      requests += 1;
      const id = requests;
      let [started, ended]: [Asked['started'], Asked['ended']] = [() => {}, () => {}];
      const kept: Kept = {
        keeper,
        started: new Promise((resolve) => {
          started = resolve;
        }),
        exit: new Promise((resolve) => {
          ended = resolve;
        }),
      };
      open.set(id, { started, ended });
      socket.write(lineOf({ id, ...request }));
      return kept;
    },
  };
}

function dial(address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(address, () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
