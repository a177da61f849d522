import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { type Agent, InitMesh } from '../lab/init-mesh.ts';
import type { Janitor } from '../lab/janitor.ts';
import type { Sandbox } from '../lab/sandbox.ts';
import { bootHosts, createHosts, type DemoHosts } from './hosts.ts';

/** With all hosts at once, programs on a small machine would get no answer in the time that they wait for one. */
const AT_ONCE = 2;

export interface DemoMesh {
  hosts: DemoHosts;
  mesh: InitMesh;
}

/** The hosts, booted, in a mesh as its first administrator makes it: by the commands that do it on real machines. */
export async function raiseMesh({ name, dir, janitor }: RaiseOptions): Promise<DemoMesh> {
  const hosts = await createHosts(dir);
  const mesh = new InitMesh({ name, operator: 'operator', root: join(dir, 'mesh'), janitor });
  await Promise.all([bootHosts(hosts, janitor), mesh.start().then(() => letAllIn(mesh, hosts.all))]);
  return { hosts, mesh };
}

/** Resolves when a coordinator hears each of them. */
async function letAllIn(mesh: InitMesh, hosts: readonly Sandbox[]): Promise<void> {
  const waiting = [...hosts];
  const agents: Agent[] = [];
  const door = async () => {
    for (let host = waiting.shift(); host; host = waiting.shift()) agents.push(await letIn(mesh, host));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, door));
  await Promise.all(agents.map(mesh.heard));
}

export interface RaiseOptions {
  name: string;
  /** Everything is written into this folder. */
  dir: string;
  janitor: Janitor;
}

async function letIn(mesh: InitMesh, { name, labels, path, paths }: Sandbox): Promise<Agent> {
  const given = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
  const token = await mesh.enroll(name, '--labels', given.join(','));
  const { exitCode, stderr } = await mesh.joinAs(name, token, []);
  if (exitCode !== 0) throw new Error(stderr);
  const etc = mesh.etc(name);
  rewrite(join(etc, 'policy.yaml'), Policy, ({ allow }) => ({ allow: { ...allow, ...within(paths.root, allow) } }));
  rewrite(join(etc, 'agent.yaml'), z.looseObject({}), (settings) => ({ ...settings, path }));
  return mesh.startAgent(name, { messenger: true });
}

const Policy = z.looseObject({
  allow: z.looseObject({ paths: z.array(z.string()), secrets: z.array(z.string()) }),
});

/** The host is a folder, and what its role may touch is below it: nothing else is. */
function within(root: string, { paths, secrets }: z.infer<typeof Policy>['allow']) {
  return {
    paths: paths.map((path) => join(root, path)),
    secrets: secrets.map((ref) => (ref.startsWith('file:') ? `file:${join(root, ref.slice('file:'.length))}` : ref)),
  };
}

function rewrite<T>(file: string, schema: z.ZodType<T>, change: (settings: T) => object): void {
  writeFileSync(file, stringify(change(schema.parse(parse(readFileSync(file, 'utf8'))))));
}
