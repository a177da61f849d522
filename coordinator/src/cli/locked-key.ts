import { readFileSync } from 'node:fs';
import { type KeyPair, keyPairFromSeed } from '@signalbox/protocol/crypto';
import type { LockedSeed } from '@signalbox/settings';
import { cliError } from './codes.ts';
import type { Io } from './io.ts';

/** log2 of the cost of trying a passphrase: about a second, and 128 MB, for us as for who tries many. */
const WORK = 17;
/** Fewer are tried through in a night. */
const SHORTEST = 8;
/** Names a file with the passphrase, where nobody can be asked. */
const FILE = 'SIGNALBOX_PASSPHRASE_FILE';

/** Asks for the passphrase where there is one. @throws SB-CLI-PASSPHRASE */
export async function keyInHand(key: KeyPair | LockedSeed, io: Io): Promise<KeyPair> {
  if (!('armored' in key)) return key;
  const { path, armored } = key;
  const passphrase = givenIn(io.env) ?? (await io.askSecret(`passphrase of ${path}: `));
  if (!passphrase) throw cliError('SB-CLI-PASSPHRASE', `${path} is locked, and nobody said its passphrase`);
  const { armor, Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  const seed = await decrypter.decrypt(armor.decode(armored), 'text').catch(() => {
    throw cliError('SB-CLI-PASSPHRASE', `that is not the passphrase of ${path}`);
  });
  return keyPairFromSeed(seed.trim());
}

/** As `age --armor --passphrase` does it: whoever has age can open it as well. */
export async function locked(seed: string, passphrase: string): Promise<string> {
  const { armor, Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  encrypter.setScryptWorkFactor(WORK);
  encrypter.setPassphrase(passphrase);
  return armor.encode(await encrypter.encrypt(`${seed}\n`));
}

/** A new one, said twice where a person is asked. @throws SB-CLI-PASSPHRASE */
export async function newPassphrase(io: Io): Promise<string> {
  const given = givenIn(io.env);
  const first = given ?? (await io.askSecret('new passphrase: '));
  if (!first) throw cliError('SB-CLI-PASSPHRASE', 'nobody said a passphrase');
  if (first.length < SHORTEST) throw cliError('SB-CLI-PASSPHRASE', `a passphrase has at least ${SHORTEST} characters`);
  if (given === undefined && (await io.askSecret('once more: ')) !== first)
    throw cliError('SB-CLI-PASSPHRASE', 'these were two passphrases');
  return first;
}

function givenIn(env: NodeJS.ProcessEnv): string | undefined {
  const path = env[FILE];
  if (!path) return undefined;
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw cliError('SB-CLI-PASSPHRASE', `${FILE}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
