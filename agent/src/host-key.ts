import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createKeyPair, type KeyPair, type Signer } from '@signalbox/protocol/crypto';
import { loadSeed } from '@signalbox/settings';
import { agentError } from './codes.ts';

/** The key of this host, and while it is being replaced the one before it, which signs beside it. */
export interface HostKey extends Signer {
  readonly seed: string;
  readonly former: Signer | undefined;
  /** The next key, on disk beside the present one. @throws SB-AGENT-KEY */
  make(): KeyPair;
  /** The next key is the key. @throws SB-AGENT-KEY */
  use(key: string): void;
  /** The key before is gone from this host. @throws SB-AGENT-KEY */
  forget(key: string): void;
}

/** `agent.seed` has `agent.next.seed` and `agent.former.seed`. */
export function seedFileOf(seedFile: string, which: 'next' | 'former' | 'curve'): string {
  return `${seedFile.replace(/\.seed$/, '')}.${which}.seed`;
}

/** @throws SB-CFG-SEED, SB-CFG-SEED-MODE */
export function openHostKey(seedFile: string): HostKey {
  const [nextFile, formerFile] = [seedFileOf(seedFile, 'next'), seedFileOf(seedFile, 'former')];
  let current = loadSeed(seedFile);
  let former = ifThere(formerFile);
  // The former one is written before the next one takes its place: a crash in between leaves the same key twice.
  if (former?.publicKey === current.publicKey) former = undefined;

  return {
    get publicKey() {
      return current.publicKey;
    },
    get seed() {
      return current.seed;
    },
    get former() {
      return former;
    },
    sign: (data) => current.sign(data),
    make() {
      const begun = ifThere(nextFile);
      if (begun) return begun;
      const next = createKeyPair();
      onDisk(nextFile, () => write(nextFile, next.seed));
      return next;
    },
    use(key) {
      if (current.publicKey === key) return;
      const next = ifThere(nextFile);
      if (next?.publicKey !== key) throw agentError('SB-AGENT-KEY', `${key} was not made on this host`);
      const old = current;
      onDisk(seedFile, () => {
        write(formerFile, old.seed);
        renameSync(nextFile, seedFile);
      });
      [current, former] = [next, old];
    },
    forget(key) {
      if (current.publicKey !== key) throw agentError('SB-AGENT-KEY', `this host has another key than ${key}`);
      onDisk(formerFile, () => rmSync(formerFile, { force: true }));
      former = undefined;
    },
  };
}

const ifThere = (file: string): KeyPair | undefined => (existsSync(file) ? loadSeed(file) : undefined);

function write(file: string, seed: string): void {
  writeFileSync(`${file}.new`, `${seed}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}

/** Done, and still done after a power cut. */
function onDisk(file: string, work: () => void): void {
  try {
    work();
    const folder = openSync(dirname(file), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw agentError('SB-AGENT-KEY', `${file}: ${reason}`, { cause });
  }
}
