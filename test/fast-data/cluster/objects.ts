/** The objects that the double keeps, in the form in which an API server gives them out. */
export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef: { name: string; key: string } };
}

export interface Template {
  metadata: { labels: Record<string, string> };
  spec: { containers: { name: string; image: string; env?: EnvVar[] }[] };
}

export interface Deployment {
  apiVersion: 'apps/v1';
  kind: 'Deployment';
  metadata: { name: string; namespace: string; uid: string; resourceVersion: string; generation: number };
  spec: { replicas: number; selector: { matchLabels: Record<string, string> }; template: Template };
  status: { observedGeneration: number; replicas: number; updatedReplicas: number; readyReplicas: number };
}

export interface PodObject {
  apiVersion: 'v1';
  kind: 'Pod';
  metadata: {
    name: string;
    namespace: string;
    labels: Record<string, string>;
    resourceVersion: string;
    deletionTimestamp?: string;
  };
  spec: Template['spec'];
  status: { phase: string; conditions: { type: string; status: string }[] };
}

/** RFC 6902, as far as patches of a Deployment need it. @throws Error when a test does not hold or a path is not there */
export function jsonPatch<T>(object: T, operations: readonly { op: string; path: string; value?: unknown }[]): T {
  const copy = structuredClone(object);
  for (const { op, path, value } of operations) {
    const keys = path.split('/').slice(1);
    const last = keys.pop() ?? '';
    const holder = keys.reduce<unknown>((at, key) => child(at, key, path), copy);
    if (op === 'test') {
      if (JSON.stringify(child(holder, last, path)) !== JSON.stringify(value))
        throw new Error(`testing value ${path} failed`);
    } else if (Array.isArray(holder)) {
      const at = last === '-' ? holder.length : Number(last);
      if (op === 'add') holder.splice(at, 0, value);
      else if (op === 'remove') holder.splice(at, 1);
      else holder[at] = value;
    } else if (typeof holder === 'object' && holder !== null) {
      if (op === 'remove') Reflect.deleteProperty(holder, last);
      else Reflect.set(holder, last, value);
    }
  }
  return copy;
}

function child(at: unknown, key: string, path: string): unknown {
  if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) throw new Error(`${path} does not exist`);
  return Reflect.get(at, key);
}
