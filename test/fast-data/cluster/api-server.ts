import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Cluster } from './cluster.ts';
import { type Deployment, jsonPatch } from './objects.ts';

const APPS = /^\/apis\/apps\/v1\/namespaces\/([^/]+)\/deployments\/([^/]+?)(\/scale)?$/;
const PODS = /^\/api\/v1\/namespaces\/([^/]+)\/pods$/;
const SECRET = /^\/api\/v1\/namespaces\/([^/]+)\/secrets\/([^/]+)$/;

const ACCESS_REVIEW = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

const resource = (name: string, kind: string, more: object = {}) => ({
  name,
  kind,
  singularName: '',
  namespaced: true,
  verbs: ['get', 'list', 'patch', 'update'],
  ...more,
});

/** What kubectl asks before anything else: which kinds there are. */
const DISCOVERY: Readonly<Record<string, object>> = {
  '/version': { major: '1', minor: '31', gitVersion: 'v1.31.0' },
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: [{ name: 'apps', versions: [VERSION('apps/v1')], preferredVersion: VERSION('apps/v1') }],
  },
  '/api/v1': {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [resource('pods', 'Pod'), resource('secrets', 'Secret')],
  },
  '/apis/apps/v1': {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: 'apps/v1',
    resources: [
      resource('deployments', 'Deployment'),
      resource('deployments/scale', 'Scale', { group: 'autoscaling', version: 'v1' }),
    ],
  },
};

function VERSION(groupVersion: string) {
  return { groupVersion, version: 'v1' };
}

interface Reply {
  status: number;
  body: object;
}

const refused = (status: number, reason: string, message: string): Reply => ({
  status,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code: status },
});
const good = (body: object): Reply => ({ status: 200, body });

/**
 * The API server of a cluster as far as kubectl needs it: Deployments with their scale, pods by label, Secrets. Writes are
 * guarded by resourceVersion as the real one guards them.
 */
export async function serveCluster(cluster: Cluster): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    answer(cluster, request)
      .catch((error: unknown) => refused(500, 'InternalError', String(error)))
      .then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port');
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${address.port}`, close };
}

/** As an administrator has it: readable for its owner alone. */
export function writeKubeconfig(path: string, { url, namespace }: { url: string; namespace: string }): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server: url } }],
    users: [{ name: 'signalbox', user: {} }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'signalbox', namespace } }],
    'current-context': 'lab',
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

async function answer(cluster: Cluster, request: IncomingMessage): Promise<Reply> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://cluster');
  const known = DISCOVERY[pathname];
  if (known) return good(known);
  if (pathname === ACCESS_REVIEW) return good(review(cluster, JSON.parse(await text(request))));
  const [, namespace, name = '', scale] = APPS.exec(pathname) ?? PODS.exec(pathname) ?? SECRET.exec(pathname) ?? [];
  if (namespace !== cluster.namespace) return refused(404, 'NotFound', `the server could not find ${pathname}`);
  if (PODS.test(pathname)) return good(podList(cluster, searchParams.get('labelSelector') ?? ''));
  if (SECRET.test(pathname)) return secret(cluster, name);
  const deployment = cluster.deployments.get(name);
  if (!deployment) return refused(404, 'NotFound', `deployments.apps "${name}" not found`);
  if (request.method === 'GET') return good(scale ? scaleOf(deployment) : deployment);
  const body: unknown = JSON.parse(await text(request));
  return write(cluster, { deployment, body, scale: scale !== undefined, method: request.method ?? '' });
}

function write(
  cluster: Cluster,
  { deployment, body, scale, method }: { deployment: Deployment; body: unknown; scale: boolean; method: string },
): Reply {
  try {
    if (!scale && method === 'PATCH' && Array.isArray(body)) return good(cluster.replace(jsonPatch(deployment, body)));
    if (!scale || method !== 'PUT')
      return refused(415, 'UnsupportedMediaType', `${method} is not what this double knows`);
    const { spec, metadata } = Object(body);
    if (metadata.resourceVersion !== deployment.metadata.resourceVersion) {
      return refused(409, 'Conflict', 'the object has been modified; please apply your changes to the latest version');
    }
    return good(scaleOf(cluster.scale(deployment.metadata.name, Number(spec.replicas ?? 0))));
  } catch (error) {
    return refused(422, 'Invalid', error instanceof Error ? error.message : String(error));
  }
}

/** A SelfSubjectAccessReview: what kubectl asks for `auth can-i`. */
function review(cluster: Cluster, { spec }: { spec: { resourceAttributes: Record<string, string> } }): object {
  const { verb, resource: kind, subresource, name } = spec.resourceAttributes;
  const words = `${verb} ${[kind, name, subresource].filter(Boolean).join('/')}`;
  const allowed = !cluster.forbidden.has(words);
  return { kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', spec, status: { allowed } };
}

function podList(cluster: Cluster, selector: string): object {
  const wanted = selector
    .split(',')
    .filter(Boolean)
    .map((part) => part.split('='));
  const items = [...cluster.deployments.keys()]
    .flatMap((name) => cluster.pods(name))
    .filter((pod) => !pod.gone)
    .map((pod) => pod.toObject())
    .filter(({ metadata }) => wanted.every(([key = '', value]) => metadata.labels[key] === value));
  return { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '1' }, items };
}

function secret(cluster: Cluster, name: string): Reply {
  const values = cluster.secrets.get(name);
  if (!values) return refused(404, 'NotFound', `secrets "${name}" not found`);
  const data = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  return good({ kind: 'Secret', apiVersion: 'v1', metadata: { name, namespace: cluster.namespace }, data });
}

function scaleOf({ metadata, spec, status }: Deployment): object {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion },
    spec: { replicas: spec.replicas },
    status: { replicas: status.replicas },
  };
}
