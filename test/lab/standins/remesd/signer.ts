import { appendFileSync, readFileSync } from 'node:fs';
import { replaceFile } from './files.ts';

/** What was signed when, as an observer of the network keeps it: nobody on the host reads or rewinds it. */
export interface Signature {
  /** Of the key that signed. */
  address: string;
  height: number;
  blockHash: string;
  pid: number;
  version: string;
  atMs: number;
}

/** CometBFT's number of the step "precommit": the last vote at a height. */
const PRECOMMIT = 3;

export interface SignerOptions {
  statePath: string;
  observerPath: string;
  version: string;
  address: string;
}

/**
 * The validator's signer with CometBFT's file guard: it signs a height only above the one in its state file, and writes
 * the file before the signature leaves. That file is all that stands between a validator and a double signature, and the
 * observer only counts: a rewound file signs again.
 */
export class Signer {
  readonly #statePath: string;
  readonly #observerPath: string;
  readonly #version: string;
  readonly #address: string;
  #height: number;

  constructor({ statePath, observerPath, version, address }: SignerOptions) {
    this.#address = address;
    this.#statePath = statePath;
    this.#observerPath = observerPath;
    this.#version = version;
    this.#height = Number(JSON.parse(readFileSync(statePath, 'utf8')).height);
  }

  sign(height: number, blockHash: string): void {
    if (height <= this.#height) return;
    replaceFile(this.#statePath, signerState(height, blockHash));
    this.#height = height;
    const signature: Signature = {
      address: this.#address,
      height,
      blockHash,
      pid: process.pid,
      version: this.#version,
      atMs: Date.now(),
    };
    appendFileSync(this.#observerPath, `${JSON.stringify(signature)}\n`);
  }
}

/** `priv_validator_state.json` as CometBFT 0.38 writes it: int64 as text, signature in base64, sign bytes in hex. */
export function signerState(height: number, blockHash: string): string {
  const signature = Buffer.from(`${height}:${blockHash}`).toString('base64');
  const state = { height: String(height), round: 0, step: PRECOMMIT, signature, signbytes: blockHash };
  return `${JSON.stringify(state, null, 2)}\n`;
}
