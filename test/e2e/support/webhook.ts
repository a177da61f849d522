import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A pager's end of a webhook: keeps what was posted. */
export interface Webhook {
  readonly url: string;
  readonly posts: readonly { readonly contentType: string; readonly body: unknown }[];
  close(): void;
}

export async function openWebhook(): Promise<Webhook> {
  const posts: { contentType: string; body: unknown }[] = [];
  const server = createServer((request, response) => {
    json(request).then((body) => {
      posts.push({ contentType: request.headers['content-type'] ?? '', body });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/page?token=hidden`,
    posts,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
