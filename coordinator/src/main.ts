#!/usr/bin/env node
import { processIo } from './cli/io.ts';
import { runCli } from './cli/run.ts';

// `signalbox events | head` closes the pipe: that is no failure, and there is nobody left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await runCli(process.argv.slice(2), processIo());
