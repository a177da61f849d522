import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { coordinatorError } from './codes.ts';

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  /** Undefined: healthy. Else the reason. */
  readonly unhealthy: () => string | undefined;
}

/**
 * `/metrics` for Prometheus, `/healthz` for whoever restarts this program. Resolves to the address it listens on.
 * @throws SB-COORD-LISTEN
 */
export async function serveHttp({
  host,
  port,
  registry,
  unhealthy,
}: HttpOptions): Promise<{ server: Server; address: AddressInfo }> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET' || (path !== '/metrics' && path !== '/healthz')) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics or /healthz\n');
      return;
    }
    if (path === '/healthz') {
      const reason = unhealthy();
      response.writeHead(reason ? 503 : 200, { 'content-type': 'text/plain' }).end(`${reason ?? 'ok'}\n`);
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(coordinatorError('SB-COORD-LISTEN', `http: ${host}:${port}: ${cause.message}`, { cause }));
    });
    server.listen(port, host, () => resolve());
  });
  return { server, address: server.address() as AddressInfo };
}
