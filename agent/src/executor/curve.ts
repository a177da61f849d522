import { existsSync, writeFileSync } from 'node:fs';
import type { Signer } from '@signalbox/protocol/crypto';
import { type CurveKey, createCurveKey, curveKeyFromSeed, openSecret, stateKeys } from '@signalbox/protocol/sealed';
import { parseSeed } from '@signalbox/settings';
import { seedFileOf } from '../host-key.ts';
import type { Log } from '../ports.ts';
import type { OpenSealed } from './secrets.ts';

/**
 * The key that secrets are sealed to. It is made here at the first start and stays here. Where it cannot be kept nothing can be
 * sealed to this host, and everything else goes on.
 * @throws SB-CFG-SEED, SB-CFG-SEED-MODE
 */
export function loadCurveKey(seedFile: string, log: Log): CurveKey | undefined {
  const path = seedFileOf(seedFile, 'curve');
  if (existsSync(path)) return parseSeed(path, curveKeyFromSeed);
  const made = createCurveKey();
  try {
    writeFileSync(path, `${made.seed}\n`, { mode: 0o600, flag: 'wx', flush: true });
    return made;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log('warn', 'no curve key: nothing can be sealed to this host', { reason });
    return undefined;
  }
}

interface Host {
  readonly mesh: string;
  readonly name: string;
}

export function opensWith(curve: CurveKey | undefined, { mesh, name: host }: Host): OpenSealed {
  return async (ref) => curve && openSecret(ref, { mesh, host, seed: curve.seed });
}

export function statementOf({ publicKey: curve }: CurveKey, { mesh, name: host }: Host, signer: Signer): string {
  return stateKeys({ mesh, host, curve }, signer);
}
