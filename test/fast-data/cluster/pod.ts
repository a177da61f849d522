import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { hasEnded } from '../../lab/janitor.ts';
import type { PodObject, Template } from './objects.ts';

/** What a kubelet does after a container has ended, quicker. */
const RESTART_AFTER_MS = 500;

export interface PodOptions {
  name: string;
  namespace: string;
  template: Template;
  /** The program of the image, and its environment with Secrets resolved. */
  argv: readonly [string, ...string[]];
  env: Readonly<Record<string, string>>;
  changed: () => void;
}

/** A pod of one container: a process, started again when it ends, until the pod is deleted. */
export class Pod {
  readonly name: string;
  readonly template: Template;
  ready = false;
  deletedAt: string | undefined;
  gone = false;
  readonly #options: PodOptions;
  #child: ChildProcess | undefined;

  constructor(options: PodOptions) {
    this.name = options.name;
    this.template = options.template;
    this.#options = options;
    this.#start();
  }

  /** SIGTERM; it goes on until its process has ended, which may take its time [T70]. */
  async delete(): Promise<void> {
    if (this.deletedAt !== undefined) return;
    this.deletedAt = new Date().toISOString();
    this.#options.changed();
    const child = this.#child;
    if (child && !hasEnded(child)) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    this.gone = true;
    this.#options.changed();
  }

  killNow(): void {
    this.deletedAt ??= new Date().toISOString();
    this.#child?.kill('SIGKILL');
  }

  toObject(): PodObject {
    const { namespace } = this.#options;
    const { metadata, spec } = this.template;
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: this.name,
        namespace,
        labels: metadata.labels,
        resourceVersion: '1',
        ...(this.deletedAt !== undefined && { deletionTimestamp: this.deletedAt }),
      },
      spec,
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: this.ready ? 'True' : 'False' }] },
    };
  }

  #start(): void {
    const { argv, env, changed } = this.#options;
    const [program, ...args] = argv;
    const child = spawn(program, args, {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line !== 'ready' || this.deletedAt !== undefined) return;
      this.ready = true;
      changed();
    });
    child.once('exit', () => {
      this.ready = false;
      if (this.deletedAt !== undefined) return;
      changed();
      setTimeout(() => {
        if (this.deletedAt === undefined) this.#start();
      }, RESTART_AFTER_MS);
    });
  }
}
