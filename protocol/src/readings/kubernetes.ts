import { z } from 'zod';
import type { HostContext } from '../host.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';

/** Names as the API server takes them (RFC 1123), which is also what keeps them from being read as options. */
export const KubernetesName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, 'lower-case letters, digits and dashes');

/** A parameter of type `kubernetes`. The kubeconfig is a file on the host: kubectl reads it several times. */
export const KubernetesConnection = z.strictObject({
  namespace: KubernetesName,
  context: z
    .string()
    .regex(/^[^-\s]\S*$/)
    .optional(),
  kubeconfig: z.strictObject({ $secret: z.string().regex(/^file:\/.+$/, 'a file: of the host') }).optional(),
});
export type KubernetesConnection = z.infer<typeof KubernetesConnection>;

/** The beginning of an argv. Reading the secret checks who may read the file; what goes into the argv is its path. */
export async function kubectlArgv(
  context: HostContext,
  { namespace, context: cluster, kubeconfig }: KubernetesConnection,
): Promise<[string, ...string[]]> {
  if (kubeconfig) await context.secret(kubeconfig);
  return [
    'kubectl',
    ...(kubeconfig ? [`--kubeconfig=${kubeconfig.$secret.slice('file:'.length)}`] : []),
    ...(cluster === undefined ? [] : [`--context=${cluster}`]),
    `--namespace=${namespace}`,
    '--request-timeout=15s',
  ];
}

export interface EnvEntry {
  name: string;
  value: string | undefined;
  valueFrom: JsonObject | undefined;
}

export interface DeploymentReading {
  resourceVersion: string;
  /** What is wanted: spec.replicas, which is 1 where it is left out. */
  desired: number;
  /** As `-l` takes it. */
  selector: string;
  containers: { name: string; env: EnvEntry[] }[];
  /** Whether the controller has seen the newest spec; what it counts below is about an older one otherwise. */
  observed: boolean;
  updated: number;
  ready: number;
  /** All that the controller still counts, old ones included; those that are ending are not. */
  total: number;
}

/** Reads `kubectl get deployment NAME -o json`. Undefined when it is no Deployment. */
export function readDeployment(text: string): DeploymentReading | undefined {
  const json = parsed(text);
  const [meta, spec, status] = [part(json, 'metadata'), part(json, 'spec'), part(json, 'status')];
  if (json.kind !== 'Deployment' || typeof meta.resourceVersion !== 'string') return undefined;
  const selector = part(spec, 'selector');
  // Expressions are legal and rare; leaving them out would match more pods than are meant.
  if (selector.matchExpressions !== undefined) return undefined;
  const labels = Object.entries(part(selector, 'matchLabels')).map(([key, value]) => `${key}=${String(value)}`);
  const containers = list(part(part(spec, 'template'), 'spec').containers);
  return {
    resourceVersion: meta.resourceVersion,
    desired: count(spec.replicas, 1),
    selector: labels.sort().join(','),
    containers: containers.map((container) => ({
      name: String(container.name),
      env: list(container.env).map(envEntry),
    })),
    observed: count(status.observedGeneration) >= count(meta.generation),
    updated: count(status.updatedReplicas),
    ready: count(status.readyReplicas),
    total: count(status.replicas),
  };
}

export interface PodReading {
  name: string;
  /** Told to end, and perhaps still writing [T70]. */
  terminating: boolean;
  ready: boolean;
  containers: { name: string; env: EnvEntry[] }[];
}

/** Reads `kubectl get pods -o json`. Pods whose processes have all ended do nothing any more and are left out. */
export function readPods(text: string): PodReading[] {
  return list(parsed(text).items)
    .filter((pod) => !['Succeeded', 'Failed'].includes(String(part(pod, 'status').phase)))
    .map((pod) => ({
      name: String(part(pod, 'metadata').name),
      terminating: part(pod, 'metadata').deletionTimestamp !== undefined,
      ready: list(part(pod, 'status').conditions).some(({ type, status }) => type === 'Ready' && status === 'True'),
      containers: list(part(pod, 'spec').containers).map((container) => ({
        name: String(container.name),
        env: list(container.env).map(envEntry),
      })),
    }));
}

function envEntry({ name, value, valueFrom }: JsonObject): EnvEntry {
  return {
    name: String(name),
    value: typeof value === 'string' ? value : undefined,
    valueFrom: isJsonObject(valueFrom) ? valueFrom : undefined,
  };
}

function parsed(text: string): JsonObject {
  const json: Json = JSON.parse(text);
  return isJsonObject(json) ? json : {};
}

function part(json: JsonObject, key: string): JsonObject {
  const value = json[key];
  return isJsonObject(value) ? value : {};
}

function list(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function count(value: Json | undefined, missing = 0): number {
  return typeof value === 'number' ? value : missing;
}
