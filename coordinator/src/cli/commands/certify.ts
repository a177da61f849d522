import { resolve } from 'node:path';
import { HostName, MeshName } from '@signalbox/protocol';
import { isPublicKey, writeCertificate } from '@signalbox/protocol/crypto';
import { loadPersonsSeed } from '@signalbox/settings';
import { durationOf, nameOf } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { cliError } from '../codes.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { keyInHand } from '../locked-key.ts';

export interface CertifyOptions {
  readonly key: string;
  readonly role: string;
  readonly expires: string;
  readonly authority: string;
}

/**
 * `signalbox certify NAME --key U...`: the authority's word for an operator, which hosts ask for. Needs the authority's
 * seed and no mesh: it is done where that is kept, offline.
 */
export async function certify(cli: Cli, name: string, options: CertifyOptions): Promise<ExitCode> {
  const { key, role, expires, authority } = options;
  const mesh = nameOf(MeshName, cli.globals.mesh ?? '', '--mesh');
  if (!isPublicKey(key)) throw cliError('SB-CLI-USAGE', '--key wants a public nkey (U...)');
  const issuedAtMs = cli.io.nowMs();
  const expiresAtMs = issuedAtMs + durationOf(expires, '--expires');
  const said = { mesh, name: nameOf(HostName, name, 'the name'), key, role, issuedAtMs, expiresAtMs };
  const speaks = await keyInHand(loadPersonsSeed(resolve(cli.io.cwd, authority)), cli.io);
  const certificate = writeCertificate(said, speaks);
  cli.show({ ...said, certificate }, () => [certificate]);
  return EXIT.done;
}
