// `systemctl` on a host in the lab: hands its arguments to the host's init and prints what comes back.
import { connect } from 'node:net';
import { hostPaths } from '../paths.ts';
import { leaveMark } from './mark.ts';

const MUTATING = ['start', 'stop', 'restart', 'kill', 'mask', 'unmask', 'enable', 'disable', 'reset-failed'];

export function main(root: string): void {
  const argv = process.argv.slice(2);
  leaveMark(
    root,
    argv.some((word) => MUTATING.includes(word)),
  );
  let text = '';
  const socket = connect({ path: hostPaths(root).socket, allowHalfOpen: true });
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {
    process.stderr.write('Failed to connect to bus: No such file or directory\n');
    process.exitCode = 1;
  });
  socket.on('end', () => {
    socket.end();
    if (text === '') {
      process.stderr.write('Failed to get reply: Connection reset by peer\n');
      process.exitCode = 1;
      return;
    }
    const { stdout, stderr, exitCode } = JSON.parse(text);
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    process.exitCode = exitCode;
  });
  socket.end(JSON.stringify(argv));
}
