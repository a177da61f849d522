// A service of Fast Data that users call, in miniature: says where it runs and which data it is led to.
//
//   PORT          on loopback; the one pod of its Deployment has it to itself
//   SIDE          `source` or `destination`
//   MONGODB_URL   the data; without it, it is not healthy
import { createServer } from 'node:http';

const { PORT = '', SIDE = '', MONGODB_URL = '' } = process.env;

const server = createServer((_request, response) => {
  response.writeHead(MONGODB_URL === '' ? 503 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ side: SIDE, data: MONGODB_URL }));
});
server.listen(Number(PORT), '127.0.0.1', () => process.stdout.write('ready\n'));
process.once('SIGTERM', () => {
  // What has begun is answered.
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
