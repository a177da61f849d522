import type { HostContext, Json, JsonObject } from '@signalbox/protocol';
import { type EnvEntry, KubernetesConnection, KubernetesName, kubectlArgv } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { succeed } from '../support/exec.ts';
import { VariableName } from '../support/variables.ts';
import { containerOf, kubectl, type Looked, type SecretKey, type Target } from './ask.ts';

/** What the two actions have in common that point a Deployment at a URL in a Secret. */
export const FROM_SECRET = {
  cluster: KubernetesConnection,
  deployment: KubernetesName,
  env: VariableName,
  secret: KubernetesName.describe('The Secret that has the value. The value itself never passes through here.'),
  key: z
    .string()
    .regex(/^[-._a-zA-Z0-9]+$/, 'a key of a Secret')
    .describe('The key in that Secret.'),
  container: KubernetesName.optional().describe('Where a pod has several.'),
};

export interface EnvTarget extends Target, SecretKey {
  env: string;
  container?: string | undefined;
}

export function entryOf({ deployment }: Looked, { deployment: name, env, container }: EnvTarget): EnvEntry | undefined {
  return containerOf(name, deployment, container).container.env.find((entry) => entry.name === env);
}

/**
 * One JSON patch, which holds for exactly the object that was looked at: of two writers the second is refused by the
 * server. `entry` undefined takes the variable out.
 */
export async function patchEnv(
  context: HostContext,
  target: EnvTarget,
  { now, entry, replicas }: { now: Looked; entry: JsonObject | undefined; replicas?: number },
): Promise<void> {
  const { at, container } = containerOf(target.deployment, now.deployment, target.container);
  const path = `/spec/template/spec/containers/${at}/env`;
  const index = container.env.findIndex(({ name }) => name === target.env);
  const operations: Json[] = [{ op: 'test', path: '/metadata/resourceVersion', value: now.deployment.resourceVersion }];
  if (entry === undefined) {
    if (index >= 0) operations.push({ op: 'remove', path: `${path}/${index}` });
  } else if (index >= 0) operations.push({ op: 'replace', path: `${path}/${index}`, value: entry });
  else if (container.env.length === 0) operations.push({ op: 'add', path, value: [entry] });
  else operations.push({ op: 'add', path: `${path}/-`, value: entry });
  if (replicas !== undefined) operations.push({ op: 'replace', path: '/spec/replicas', value: replicas });
  const patch = `--patch=${JSON.stringify(operations)}`;
  await kubectl(context, target.cluster, ['patch', 'deployment', target.deployment, '--type=json', patch]);
}

export const secretEntry = ({ env, secret, key }: EnvTarget): JsonObject => ({
  name: env,
  valueFrom: { secretKeyRef: { name: secret, key } },
});

/** The keys of a Secret, and not its values: those need not come to this host at all. */
export async function keysOf(context: HostContext, { cluster, secret }: EnvTarget): Promise<string[]> {
  const argv = await kubectlArgv(context, cluster);
  const template = '{{range $key, $value := .data}}{{$key}}{{"\\n"}}{{end}}';
  const words = ['get', 'secret', secret, '-o', `go-template=${template}`];
  const { stdout } = await succeed(context, [...argv, ...words], { quiet: true, timeoutMs: 20_000 });
  return stdout.split('\n').filter(Boolean);
}
