import { createHash, randomUUID } from 'node:crypto';
import { hostPaths, nodePaths } from '../../paths.ts';
import { lastHeight, storeBlock } from './database.ts';
import { loadOrMakeKey } from './key.ts';
import { type Network, networkHeight, readNetwork } from './network.ts';
import { Signer } from './signer.ts';

/** Behind by more than this, the node says `catching_up`. */
const CAUGHT_UP_BLOCKS = 1;
const CATCH_UP_BLOCKS_A_TICK = 20;

/**
 * The consensus loop. A node that is behind catches up through consensus here, never by block sync, and asks its signer at
 * each height on the way: what a real node does near the tip, and what all validators do when they leave a release
 * together and its blocks are made anew. So a validator whose state file was rewound votes a second time wherever it has
 * voted before, and one whose file was kept passes over those heights in silence.
 */
export class ChainNode {
  readonly network: Network;
  height: number;
  blockHash = '';
  readonly #paths: ReturnType<typeof nodePaths>;
  /** A node whose key is nobody's on this chain follows it in silence. */
  readonly #signer: Signer | undefined;
  readonly address: string;
  /** Another process builds other blocks: the same height signed by two of them is a double signature. */
  readonly #instance = randomUUID();
  #timer: NodeJS.Timeout | undefined;

  constructor({ root, home, version }: { root: string; home: string; version: string }) {
    const lab = hostPaths(root);
    this.#paths = nodePaths(home);
    this.address = loadOrMakeKey(this.#paths.key);
    this.network = readNetwork(lab.labNetwork);
    this.height = lastHeight(this.#paths);
    this.blockHash = this.#hashAt(this.height);
    const { address } = this;
    if (address !== this.network.validator) return;
    this.#signer = new Signer({
      statePath: this.#paths.signerState,
      observerPath: lab.labSignatures,
      version,
      address,
    });
  }

  get catchingUp(): boolean {
    return networkHeight(this.network, Date.now()) - this.height > CAUGHT_UP_BLOCKS;
  }

  start(): void {
    this.#timer = setInterval(() => this.#advance(), this.network.blockMs / 4);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #advance(): void {
    const target = Math.min(networkHeight(this.network, Date.now()), this.height + CATCH_UP_BLOCKS_A_TICK);
    while (this.height < target) {
      const height = this.height + 1;
      const blockHash = this.#hashAt(height);
      this.#signer?.sign(height, blockHash);
      storeBlock(this.#paths, height, blockHash);
      this.height = height;
      this.blockHash = blockHash;
    }
  }

  #hashAt(height: number): string {
    return createHash('sha256').update(`${this.#instance} ${height}`).digest('hex').toUpperCase();
  }
}
