import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { sealSecret } from '@signalbox/protocol/sealed';
import type { Cli } from '../cli.ts';
import { cliError } from '../codes.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readText } from '../files.ts';
import { curveKeyOf } from '../known-hosts.ts';

export interface SealOptions {
  readonly host: string;
  readonly file?: string;
  readonly key?: string;
}

/** Larger than a certificate with its chain and its key; a runbook takes it, and so does a message. */
const LARGEST_CHARS = 32_768;

/** `signalbox seal --host HOST`: the value never is an argument, which every user of this machine could read. */
export async function seal(cli: Cli, { host, file, key }: SealOptions): Promise<ExitCode> {
  const value = await readValue(cli, file);
  const client = await cli.mesh();
  const { hosts } = await client.ask('hosts', {});
  const curve = curveKeyOf(hosts, { host, key, settings: cli.settings });
  const sealed = sealSecret(value, { mesh: client.mesh, host, curve });
  cli.show({ mesh: client.mesh, host, sealed }, () => [sealed]);
  return EXIT.done;
}

async function readValue({ io }: Cli, file: string | undefined): Promise<string> {
  if (file === undefined && io.stdin.isTTY) {
    throw cliError('SB-CLI-USAGE', 'a terminal shows what is typed: give the value through a pipe, or with --file');
  }
  const given = file === undefined ? await text(io.stdin) : readText(resolve(io.cwd, file));
  const value = given.replace(/\r?\n$/, '');
  if (value === '') throw cliError('SB-CLI-USAGE', 'there is nothing to seal: the value is empty');
  if (value.length > LARGEST_CHARS) {
    throw cliError('SB-CLI-USAGE', `the value has ${value.length} characters; the most is ${LARGEST_CHARS}`);
  }
  return value;
}
