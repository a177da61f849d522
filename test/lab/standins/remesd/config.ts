import { readFileSync } from 'node:fs';

/** Listen addresses of `config.toml`, read by section: `[rpc] laddr = "tcp://127.0.0.1:26657"`. */
export interface NodeConfig {
  moniker: string;
  rpc: Address;
  p2p: Address;
}
export interface Address {
  host: string;
  port: number;
}

export function readConfig(path: string): NodeConfig {
  const values = new Map<string, string>();
  let section = '';
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const header = /^\s*\[(.+)\]/.exec(line);
    if (header) section = `${header[1]}.`;
    const [, key, value] = /^\s*([a-z_]+)\s*=\s*"?([^"#]*)"?/.exec(line) ?? [];
    if (key !== undefined) values.set(`${section}${key}`, (value ?? '').trim());
  }
  return {
    moniker: values.get('moniker') ?? '',
    rpc: parseAddress(values.get('rpc.laddr') ?? 'tcp://127.0.0.1:26657'),
    p2p: parseAddress(values.get('p2p.laddr') ?? 'tcp://127.0.0.1:26656'),
  };
}

export function parseAddress(text: string): Address {
  const { hostname, port } = new URL(text);
  return { host: hostname, port: Number(port) };
}
