// `mongosync` on a host in the lab: really copies one replica set into another and follows it, and is told what to do over
// HTTP as the real one (MongoDB's reference of mongosync, "API endpoints"): states, `canCommit`, `canWrite`, bodies that
// must be objects, errors as `{ success: false, error, errorDescription }`.
//
//   mongosync --config mongosync.yaml      cluster0: URI, cluster1: URI, port: N (27182)

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { leaveMark } from './mark.ts';
import { Refused, Sync } from './mongosync/sync.ts';

export function main(root: string): void {
  const argv = process.argv.slice(2);
  if (argv.includes('--version')) {
    process.stdout.write('mongosync 1.9.0\n');
    return;
  }
  leaveMark(root, true, argv);
  const config = argv[argv.indexOf('--config') + 1];
  if (config === undefined || !argv.includes('--config')) {
    process.stderr.write('mongosync: --config is required here\n');
    process.exitCode = 1;
    return;
  }
  const lines = readFileSync(config, 'utf8').split('\n');
  const settings = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const sync = new Sync({ cluster0: settings.get('cluster0') ?? '', cluster1: settings.get('cluster1') ?? '' });
  const server = createServer((request, response) => {
    answer(sync, request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
  sync.restore().then(() => server.listen(Number(settings.get('port') ?? 27182), '127.0.0.1'));
  process.once('SIGTERM', () => process.exit(0));
}

async function answer(sync: Sync, request: IncomingMessage): Promise<{ status: number; body: object }> {
  const [, verb = ''] = /^\/api\/v1\/([a-z]+)$/.exec(request.url ?? '') ?? [];
  try {
    if (request.method === 'GET' && verb === 'progress') {
      return { status: 200, body: { progress: await sync.progress(), success: true } };
    }
    const body: unknown = JSON.parse((await text(request)) || 'null');
    if (typeof body !== 'object' || body === null)
      throw new Refused('InvalidBody', 'the body must be an object, {} at least');
    await sync.command(verb, body);
    return { status: 200, body: { success: true } };
  } catch (error) {
    const name = error instanceof Refused ? error.name : 'InternalError';
    const description = error instanceof Error ? error.message : String(error);
    return {
      status: error instanceof Refused ? 400 : 500,
      body: { success: false, error: name, errorDescription: description },
    };
  }
}
