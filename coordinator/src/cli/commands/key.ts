import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadPersonsSeed } from '@signalbox/settings';
import type { Cli } from '../cli.ts';
import { cliError } from '../codes.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { keyInHand, locked, newPassphrase } from '../locked-key.ts';

export interface KeyOptions {
  /** Another seed than that of the settings: the authority's. */
  readonly file?: string;
}

/** `signalbox key lock`: who steals the disk has no key. A key that is locked already gets another passphrase. */
export async function lock(cli: Cli, options: KeyOptions): Promise<ExitCode> {
  const path = pathOf(cli, options);
  const key = await keyInHand(loadPersonsSeed(path), cli.io);
  replace(path, await locked(key.seed, await newPassphrase(cli.io)));
  cli.show({ file: path, locked: true }, () => [
    `${path} is locked: every command that needs it asks for the passphrase`,
  ]);
  return EXIT.done;
}

/** `signalbox key unlock` */
export async function unlock(cli: Cli, options: KeyOptions): Promise<ExitCode> {
  const path = pathOf(cli, options);
  const key = await keyInHand(loadPersonsSeed(path), cli.io);
  replace(path, `${key.seed}\n`);
  cli.show({ file: path, locked: false }, () => [`${path} is not locked any more: whoever can read it has the key`]);
  return EXIT.done;
}

function pathOf(cli: Cli, { file }: KeyOptions): string {
  return file === undefined ? cli.settings.seedPath : resolve(cli.io.cwd, file);
}

/** At every moment one whole key is there. @throws SB-CLI-FILE */
function replace(path: string, text: string): void {
  const beside = `${path}.new`;
  try {
    writeFileSync(beside, text, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(beside, path);
    const folder = openSync(resolve(path, '..'), 'r');
    fsyncSync(folder);
    closeSync(folder);
  } catch (cause) {
    throw cliError('SB-CLI-FILE', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
