#!/usr/bin/env node
import { connect } from 'node:net';

/** Has the runner sign a challenge of a NATS server, for the messenger; prints what it says. */
const [path = '', challenge = ''] = process.argv.slice(2);
const socket = connect(path, () => socket.write(`${JSON.stringify({ type: 'sign', challenge })}\n`));
socket.once('error', ({ message }) => {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
});
socket.pipe(process.stdout);
