import { createServer, type Server } from 'node:net';

/** The first of the descriptors that a service manager hands over (sd_listen_fds(3)). */
const FIRST = 3;

/** The socket that systemd has made for this process (`signalbox-runner.socket`); undefined when it has made none. */
export async function socketHandedOver(env: NodeJS.ProcessEnv): Promise<Server | undefined> {
  const { LISTEN_PID, LISTEN_FDS } = env;
  const ours = LISTEN_PID === String(process.pid) && LISTEN_FDS === '1';
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  if (!ours) return undefined;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd: FIRST }, resolve);
  });
  return server;
}
