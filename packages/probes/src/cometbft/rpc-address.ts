import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { optionOf, type UnitReading } from '@signalbox/protocol/readings';

/** CometBFT's own default for `[rpc] laddr`. */
const DEFAULT_LADDR = 'tcp://127.0.0.1:26657';

/**
 * Where the node that a unit runs serves its RPC, from `config/config.toml` of the home that the unit names. Undefined
 * when that cannot be known: guessing a port could ask another chain's node.
 */
export async function rpcAddressOf({ exec }: UnitReading): Promise<string | undefined> {
  const home = optionOf(exec?.argv ?? [], '--home');
  if (home === undefined) return undefined;
  const text = await readFile(join(home, 'config', 'config.toml'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { parse } = await import('smol-toml');
  const { rpc } = parse(text);
  const laddr = typeof rpc === 'object' && 'laddr' in rpc ? rpc.laddr : undefined;
  return toUrl(typeof laddr === 'string' && laddr !== '' ? laddr : DEFAULT_LADDR);
}

/** An address to listen on as one to connect to: a node that listens everywhere is asked on loopback. */
function toUrl(laddr: string): string | undefined {
  const [, host, port] = /^(?:tcp|http):\/\/(.+):(\d+)$/.exec(laddr) ?? [];
  if (host === undefined || port === undefined) return undefined;
  return `http://${host === '0.0.0.0' || host === '[::]' ? '127.0.0.1' : host}:${port}`;
}
