import { randomUUID } from 'node:crypto';
import type { Deployment, EnvVar, Template } from './objects.ts';
import { Pod } from './pod.ts';

export interface DeploymentOptions {
  readonly name: string;
  readonly replicas: number;
  readonly env: readonly EnvVar[];
  /** What its image runs. */
  readonly argv: readonly [string, ...string[]];
}

/**
 * Deployments and their pods, as the controllers of Kubernetes keep them: replicas up and down, rolling updates (a new
 * pod must be ready before an old one goes), pods that take their time to end. The pods are real processes.
 */
export class Cluster {
  readonly namespace: string;
  readonly secrets = new Map<string, Readonly<Record<string, string>>>();
  readonly deployments = new Map<string, Deployment>();
  readonly #pods = new Map<string, Pod[]>();
  readonly #programs = new Map<string, DeploymentOptions['argv']>();
  readonly #refused = new Map<string, number>();
  #version = 1;
  #ended = false;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  create({ name, replicas, env, argv }: DeploymentOptions): void {
    const labels = { app: name };
    this.#programs.set(name, argv);
    this.#pods.set(name, []);
    this.deployments.set(name, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: this.namespace, uid: randomUUID(), resourceVersion: '1', generation: 1 },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name, image: name, env: [...env] }] } },
      },
      status: { observedGeneration: 0, replicas: 0, updatedReplicas: 0, readyReplicas: 0 },
    });
    this.#reconcile(name);
  }

  /** Takes a new spec, from whoever may write: kubectl, or an autoscaler in a test. */
  replace(next: Deployment): Deployment {
    const { name } = next.metadata;
    const before = this.get(name);
    if (this.#refused.get(name) === next.spec.replicas)
      throw new Error(`admission webhook denied the request for ${name}`);
    this.#version += 1;
    const generation = before.metadata.generation + (same(before.spec, next.spec) ? 0 : 1);
    this.deployments.set(name, {
      ...next,
      metadata: { ...before.metadata, resourceVersion: String(this.#version), generation },
      status: before.status,
    });
    this.#reconcile(name);
    return this.get(name);
  }

  scale(name: string, replicas: number): Deployment {
    const deployment = this.get(name);
    return this.replace({ ...deployment, spec: { ...deployment.spec, replicas } });
  }

  /** What roles of this namespace do not give, as `VERB RESOURCE/NAME`, with `/SUBRESOURCE` where there is one. */
  readonly forbidden = new Set<string>();

  /** Has the API server refuse one number of replicas, as a quota or a webhook does; undefined: none. */
  refuse(name: string, replicas: number | undefined): void {
    if (replicas === undefined) this.#refused.delete(name);
    else this.#refused.set(name, replicas);
  }

  get(name: string): Deployment {
    const found = this.deployments.get(name);
    if (!found) throw new Error(`no Deployment ${name}`);
    return found;
  }

  /** Whether so many are wanted, and there, and ready. */
  hasReady(name: string, replicas: number): boolean {
    const { spec, status } = this.get(name);
    return [spec.replicas, status.readyReplicas, status.replicas].every((count) => count === replicas);
  }

  pods(name: string): readonly Pod[] {
    return this.#pods.get(name) ?? [];
  }

  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#pods.values()].flat().map((pod) => pod.delete()));
  }

  killNow(): void {
    this.#ended = true;
    for (const pod of [...this.#pods.values()].flat()) pod.killNow();
  }

  /** One pass of both controllers. Called after every change, so nothing is polled. */
  #reconcile(name: string): void {
    if (this.#ended) return;
    const { spec, metadata } = this.get(name);
    const pods = this.pods(name).filter((pod) => !pod.gone);
    this.#pods.set(name, pods);
    const living = pods.filter((pod) => pod.deletedAt === undefined);
    const fresh = living.filter((pod) => same(pod.template, spec.template));
    const old = living.filter((pod) => !fresh.includes(pod));
    for (let missing = spec.replicas - fresh.length; missing > 0; missing--)
      pods.push(this.#startPod(name, spec.template));
    const surplus = fresh.slice(spec.replicas);
    // As many old ones go as new ones are ready: reads go on through a rolling update.
    const replaced = old.slice(0, spec.replicas === 0 ? old.length : fresh.filter((pod) => pod.ready).length);
    for (const pod of [...surplus, ...replaced]) void pod.delete();
    this.#count(name, metadata.generation);
  }

  #count(name: string, observedGeneration: number): void {
    const deployment = this.get(name);
    const living = this.pods(name).filter((pod) => !pod.gone && pod.deletedAt === undefined);
    const updated = living.filter((pod) => same(pod.template, deployment.spec.template));
    this.deployments.set(name, {
      ...deployment,
      status: {
        observedGeneration,
        replicas: living.length,
        updatedReplicas: updated.length,
        readyReplicas: living.filter((pod) => pod.ready).length,
      },
    });
  }

  #startPod(name: string, template: Template): Pod {
    const [container] = template.spec.containers;
    const argv = this.#programs.get(name);
    if (!container || !argv) throw new Error(`no program for ${name}`);
    const podName = `${name}-${randomUUID().slice(0, 8)}`;
    const env = (container.env ?? []).map((entry) => [entry.name, this.#valueOf(entry)]);
    return new Pod({
      name: podName,
      namespace: this.namespace,
      template,
      argv,
      env: { ...Object.fromEntries(env), POD_NAME: podName },
      changed: () => this.#reconcile(name),
    });
  }

  #valueOf({ name, value, valueFrom }: EnvVar): string {
    if (!valueFrom) return value ?? '';
    const { name: secret, key } = valueFrom.secretKeyRef;
    const found = this.secrets.get(secret)?.[key];
    if (found === undefined) throw new Error(`${name} wants key ${key} of secret ${secret}`);
    return found;
  }
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
