import { get } from 'node:http';

/** The part of a node's `/status` that the stand-ins read. */
export interface NodeStatus {
  result: { sync_info: { catching_up: boolean } };
}

/**
 * Through `node:http`, because `fetch` costs a stand-in more to load than all the rest of it.
 * @throws when the node does not answer with JSON in time.
 */
export function getStatus(rpc: string, timeoutMs: number): Promise<NodeStatus> {
  return new Promise((resolve, reject) => {
    const request = get(`${rpc}/status`, { timeout: timeoutMs, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        try {
          resolve(JSON.parse(text));
        } catch (error) {
          reject(error);
        }
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on('error', reject);
  });
}
