import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { DnsRecord, RealDns } from '@signalbox/protocol/testing';

export interface DnsProvider {
  /** Of the one record that it has. */
  readonly url: string;
  /** What the zone says. */
  record(): DnsRecord;
  close(): Promise<void>;
}

/** The API of a company that runs zones, in the form of Cloudflare's, before a real zone: one record, and one token. */
export async function serveZone(zone: RealDns, first: DnsRecord, token: string): Promise<DnsProvider> {
  let record = first;
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ success: status === 200, ...body }));
    };
    if (request.headers.authorization !== token) return answer(403, { errors: [{ message: 'Authentication error' }] });
    if (request.method === 'PATCH') {
      const { content = record.address, ttl = record.ttlSeconds } = Object(await json(request));
      if (typeof content !== 'string' || !Number.isInteger(ttl))
        return answer(400, { errors: [{ message: 'Invalid' }] });
      record = { ...record, address: content, ttlSeconds: ttl };
      await zone.publish([record]);
    }
    return answer(200, { result: { name: record.name, content: record.address, ttl: record.ttlSeconds } });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/client/v4/zones/z1/dns_records/r1`,
    record: () => record,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
