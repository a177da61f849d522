import { existsSync } from 'node:fs';
import { ask, must } from './machine-program.ts';
import { BRIDGE_ADDRESS, PREFIX_LENGTH } from './plan.ts';

const BRIDGE = 'lab';

/** A network that nothing leaves: a bridge in a namespace without any other interface. */
export class LabNetwork {
  readonly namespace: string;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  get bridge(): string {
    return BRIDGE;
  }

  get path(): string {
    return `/run/netns/${this.namespace}`;
  }

  exists(): boolean {
    return existsSync(this.path);
  }

  async create(): Promise<void> {
    await must(['ip', 'netns', 'add', this.namespace]);
    await this.#ip('link', 'set', 'lo', 'up');
    await this.#ip('link', 'add', BRIDGE, 'type', 'bridge');
    await this.#ip('address', 'add', `${BRIDGE_ADDRESS}/${PREFIX_LENGTH}`, 'dev', BRIDGE);
    await this.#ip('link', 'set', BRIDGE, 'up');
  }

  /** With everything in it; what a dead container left behind goes as well. */
  async remove(): Promise<void> {
    if (this.exists()) await must(['ip', 'netns', 'delete', this.namespace]);
  }

  /** argv of a program that is to run in this network. Without a mount namespace of its own, as `ip netns exec` makes one. */
  inside(argv: readonly string[]): [string, ...string[]] {
    return ['nsenter', `--net=${this.path}`, '--', ...argv];
  }

  /** Takes the cable of a host out of the bridge, or puts it back. */
  async setCable(host: string, state: 'up' | 'down'): Promise<void> {
    await this.#ip('link', 'set', 'dev', cableOf(host), state);
  }

  /** The kernel takes away the cable of a host that is gone, but not at once. Idempotent. */
  async removeCable(host: string): Promise<void> {
    await ask(['ip', '-n', this.namespace, 'link', 'delete', 'dev', cableOf(host)]);
  }

  async #ip(...args: string[]): Promise<string> {
    return await must(['ip', '-n', this.namespace, ...args]);
  }
}

/** systemd-nspawn's name of the bridge's end: a machine's name, as long as an interface may be called so. */
const cableOf = (host: string) => `vb-${host}`;
