import { createServer, type Server } from 'node:http';
import type { NodeConfig } from './config.ts';
import { blockTime } from './network.ts';
import type { ChainNode } from './node.ts';

/** How many other validators this node is connected to. */
const PEERS = 3;

/**
 * The part of CometBFT 0.38's RPC that monitoring uses, in its form: an envelope with id -1 for a plain GET, snake_case,
 * and 64-bit numbers as text (https://docs.cometbft.com/v0.38/rpc/).
 */
export function createRpc(node: ChainNode, { config, version }: { config: NodeConfig; version: string }): Server {
  const methods: Record<string, (url: URL) => unknown> = {
    '/health': () => ({}),
    '/status': () => status(node, config),
    '/block': (url) => {
      const height = Number(url.searchParams.get('height') ?? node.height);
      return { block: { header: { height: String(height), time: blockTime(node.network, height).toISOString() } } };
    },
    '/net_info': () => ({
      listening: true,
      listeners: ['Listener(@)'],
      n_peers: String(PEERS),
      peers: Array.from({ length: PEERS }, (_, i) => ({
        node_info: { moniker: `validator-${i + 2}` },
        is_outbound: true,
      })),
    }),
    '/abci_info': () => ({
      response: {
        data: 'remesd',
        version,
        last_block_height: String(node.height),
        last_block_app_hash: node.blockHash,
      },
    }),
  };
  return createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://node');
    const method = methods[url.pathname];
    response.setHeader('content-type', 'application/json');
    if (method === undefined) {
      response.statusCode = 404;
      response.end(JSON.stringify({ jsonrpc: '2.0', id: -1, error: { code: -32601, message: 'Method not found' } }));
      return;
    }
    response.end(JSON.stringify({ jsonrpc: '2.0', id: -1, result: method(url) }));
  });
}

export function status(node: ChainNode, { moniker, rpc, p2p }: NodeConfig) {
  return {
    node_info: {
      protocol_version: { p2p: '8', block: '11', app: '0' },
      id: '5f0c1c9c2b5d8a7e6f4d3c2b1a09f8e7d6c5b4a3',
      listen_addr: `tcp://${p2p.host}:${p2p.port}`,
      network: node.network.chainId,
      version: '0.38.19',
      channels: '40202122233038606100',
      moniker,
      other: { tx_index: 'on', rpc_address: `tcp://${rpc.host}:${rpc.port}` },
    },
    sync_info: {
      latest_block_hash: node.blockHash,
      latest_app_hash: node.blockHash,
      latest_block_height: String(node.height),
      latest_block_time: blockTime(node.network, node.height).toISOString(),
      earliest_block_height: '1',
      catching_up: node.catchingUp,
    },
    validator_info: {
      address: node.address,
      pub_key: { type: 'tendermint/PubKeyEd25519', value: 'qL8nG4m3Zx0nS8b1sXkq3a0Yd0uTt5yV4H0x2m1pJ9Y=' },
      voting_power: node.address === node.network.validator ? '10' : '0',
    },
  };
}
