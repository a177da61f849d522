import { HostName, writeToken } from '@signalbox/protocol';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { durationOf, nameOf, pairsOf } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

export interface EnrollOptions {
  readonly labels?: readonly string[];
  readonly expires: string;
}

/** `signalbox enroll HOST`: a token that lets one host in, once. Its key is made here, and never seen by the coordinator. */
export async function enroll(cli: Cli, name: string, { labels, expires }: EnrollOptions): Promise<ExitCode> {
  const host = nameOf(HostName, name, 'the host');
  const client = await cli.mesh();
  const expiresAtMs = cli.io.nowMs() + durationOf(expires, '--expires');
  const key = createKeyPair();
  const given = pairsOf(
    (labels ?? []).flatMap((text) => text.split(',')),
    '--labels',
  );
  await client.ask('enroll', { host, labels: given, tokenKey: key.publicKey, expiresAtMs });
  const { mesh, servers, ca, coordinators, authority } = cli.settings;
  const token = writeToken({
    ...{ v: 1, mesh, host, servers, coordinators, seed: key.seed, expiresAtMs },
    ...(ca === undefined ? {} : { ca }),
    ...(authority === undefined ? {} : { authority }),
  });
  cli.show({ mesh, host, token, expiresAtMs }, () => [token]);
  // Beside the token, not in it: what is piped to the host is the token alone.
  if (!cli.json && cli.io.isTerminal) {
    cli.io.err(`On ${host}, within ${expires}: signalbox-agent join --token - and paste this line. It works once.\n`);
  }
  return EXIT.done;
}

/** `signalbox hosts revoke HOST`: cut off at once, also where it is connected. */
export async function revoke(cli: Cli, name: string, { note }: { note: string }): Promise<ExitCode> {
  const client = await cli.mesh();
  await client.ask('revoke', { host: name, note });
  cli.show({ mesh: client.mesh, revoked: name }, () => [
    `${name} is out of mesh ${client.mesh}: its connection is cut and its key is worth nothing`,
    'Runs that need it are held, and say so.',
  ]);
  return EXIT.done;
}

/** `signalbox hosts rotate HOST`: another key, made by the host; `--withdraw` ends the time in which both are good. */
export async function rotate(cli: Cli, host: string, { withdraw = false }: { withdraw?: boolean }): Promise<ExitCode> {
  const client = await cli.mesh();
  const { key, former } = await client.ask('rotate', { host, withdraw }, ROTATE_MS);
  cli.show({ mesh: client.mesh, host, key, ...(former === undefined ? {} : { former }) }, () => [
    `key of ${host}: ${key}`,
    former === undefined
      ? 'The one before is worth nothing any more.'
      : `${former} is good as well, until: signalbox hosts rotate ${host} --withdraw`,
  ]);
  return EXIT.done;
}

/** Two questions to the host, and NATS reads its configuration in between. */
const ROTATE_MS = 45_000;
