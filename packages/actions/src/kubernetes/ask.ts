import type { HostContext } from '@signalbox/protocol';
import {
  type DeploymentReading,
  type EnvEntry,
  type KubernetesConnection,
  kubectlArgv,
  type PodReading,
  readDeployment,
  readPods,
} from '@signalbox/protocol/readings';
import { actionError } from '../codes.ts';
import { succeed } from '../support/exec.ts';

const ANSWER_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 500;
/** How long pods may take to come or to go: a little more than the longest grace periods that are in use. */
const SETTLED_WITHIN_MS = 5 * 60_000;

export interface Target {
  cluster: KubernetesConnection;
  deployment: string;
}

export interface Looked {
  deployment: DeploymentReading;
  /** All that its selector matches, those included that are ending. */
  pods: PodReading[];
}

/** kubectl with its answer as JSON; its prose is for people. @throws SB-ACT-COMMAND-*, SB-ACT-PROGRAM-MISSING */
export async function kubectl(
  context: HostContext,
  cluster: KubernetesConnection,
  words: readonly string[],
): Promise<string> {
  const argv = await kubectlArgv(context, cluster);
  const { stdout } = await succeed(context, [...argv, ...words, '-o', 'json'], {
    quiet: true,
    timeoutMs: ANSWER_WITHIN_MS,
    maxBytes: 16 * 1024 * 1024,
  });
  return stdout;
}

/** @throws SB-ACT-KUBERNETES-OBJECT when it is no Deployment that can be understood */
export async function lookAt(context: HostContext, { cluster, deployment: name }: Target): Promise<Looked> {
  const deployment = readDeployment(await kubectl(context, cluster, ['get', 'deployment', name]));
  if (!deployment) {
    throw actionError('SB-ACT-KUBERNETES-OBJECT', `${name} is no Deployment with a selector of plain labels`);
  }
  const pods = readPods(await kubectl(context, cluster, ['get', 'pods', `--selector=${deployment.selector}`]));
  return { deployment, pods };
}

/**
 * Waits until `settled`. `rollout status` is content with 0 replicas while pods still end, and `kubectl wait` with nothing
 * that matches [T70, T71]: here the objects themselves are looked at.
 * @throws SB-ACT-KUBERNETES-UNSETTLED, which names the pods
 */
export async function waitFor(
  context: HostContext,
  target: Target,
  { what, settled }: { what: string; settled: (now: Looked) => boolean },
): Promise<Looked> {
  const end = context.nowMs() + SETTLED_WITHIN_MS;
  for (;;) {
    const now = await lookAt(context, target);
    if (settled(now)) return now;
    if (context.nowMs() >= end) {
      const pods = now.pods.map(({ name, terminating }) => `${name}${terminating ? ' (ending)' : ''}`).slice(0, 10);
      throw actionError(
        'SB-ACT-KUBERNETES-UNSETTLED',
        `${target.deployment}: ${what}; pods: ${pods.join(', ') || 'none'}`,
      );
    }
    await context.sleep(LOOK_EVERY_MS);
  }
}

/** Exactly as many pods as are wanted, all of the newest spec, all ready, and no old one left. */
export function hasSettled({ deployment, pods }: Looked): boolean {
  const { observed, desired, updated, ready, total } = deployment;
  return observed && pods.length === desired && [updated, ready, total].every((count) => count === desired);
}

/** The container that is meant: the one that is named, or the only one. @throws SB-ACT-KUBERNETES-OBJECT */
export function containerOf(name: string, { containers }: DeploymentReading, wanted?: string) {
  const at = containers.findIndex((container) =>
    wanted === undefined ? containers.length === 1 : container.name === wanted,
  );
  const container = containers[at];
  if (container) return { at, container };
  const names = containers.map((c) => c.name).join(', ');
  throw actionError('SB-ACT-KUBERNETES-OBJECT', `${name} has the containers ${names}: say in \`container\` which one`);
}

export interface SecretKey {
  secret: string;
  key: string;
}

export function fromSecret(entry: EnvEntry | undefined, { secret, key }: SecretKey): boolean {
  const ref = entry?.valueFrom?.secretKeyRef;
  return typeof ref === 'object' && ref !== null && !Array.isArray(ref) && ref.name === secret && ref.key === key;
}
