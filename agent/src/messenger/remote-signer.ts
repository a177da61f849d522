import { spawnSync } from 'node:child_process';
import type { Signer } from '@signalbox/protocol/crypto';

const ANSWER_MS = 10_000;

export interface RemoteSignerOptions {
  /** What asks: `challenge.js`. */
  readonly program: string;
  /** Address of the runner. */
  readonly socket: string;
  /** The public key, as the runner has said it. */
  readonly key: string;
  readonly failed: (reason: string) => void;
}

/**
 * The host's key as the messenger has it: it asks the runner to sign the challenge of a server. The client of NATS does not wait
 * for a signature, so another process asks, at each connect; 50 ms. What goes wrong is no signature, and so no connection.
 */
export function createRemoteSigner({ program, socket, key, failed }: RemoteSignerOptions): Signer {
  let publicKey = key;
  return {
    /** After `sign`: of the key that has signed. */
    get publicKey() {
      return publicKey;
    },
    sign(challenge) {
      const args = [program, socket, Buffer.from(challenge).toString()];
      const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: {}, timeout: ANSWER_MS });
      try {
        const { key, sig } = JSON.parse(stdout) as { key: string; sig: string };
        publicKey = key;
        return Buffer.from(sig, 'base64');
      } catch {
        failed(stderr.trim() || 'the runner has signed nothing');
        return Buffer.alloc(0);
      }
    },
  };
}
