#!/usr/bin/env node
import './small-heap.ts';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BEAT_MS } from '@signalbox/protocol';
import { openServiceManager } from '@signalbox/service';
import { createSecretValues } from './executor/redact.ts';
import { createLog } from './log.ts';
import { visit } from './messenger/visit.ts';
import { systemClock } from './system.ts';

/** Stands beside this program, in a checkout and in a package. */
const CHALLENGE = fileURLToPath(new URL('./challenge.js', import.meta.url));
/** The runner is being stopped: it is carried for until it has ended, and not called again. */
const WITH_RUNNER = 'SIGUSR2';
/** Between two tries to reach the runner. */
const PAUSE_MS = { first: 100, most: 5_000 };

/**
 * The part of the agent that speaks to the network, as a user of its own: it has no key, no settings and no journal. What it
 * needs it is told by the runner.
 */
async function main(path: string): Promise<number> {
  const log = createLog({ part: 'messenger' }, createSecretValues());
  const signing = { socket: path, program: CHALLENGE };
  const end = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end.abort());
  let [visiting, last] = [false, false];
  process.once(WITH_RUNNER, () => {
    last = true;
    if (!visiting) end.abort();
  });
  const service = openServiceManager({
    env: process.env,
    monotonicMs: systemClock.monotonicMs,
    onProblem: (reason) => log('warn', 'the service manager could not be told', { reason }),
  });
  end.signal.addEventListener('abort', () => void service.stopping());
  setInterval(service.alive, BEAT_MS).unref();
  for (let waitMs = PAUSE_MS.first; !end.signal.aborted; waitMs = Math.min(2 * waitMs, PAUSE_MS.most)) {
    const socket = await dial(path).catch((error: Error) => log('warn', 'no runner', { reason: error.message }));
    if (socket) {
      visiting = true;
      const { met, exitCode } = await visit({ socket, signing, service, log, end: end.signal });
      visiting = false;
      if (exitCode !== undefined) return exitCode;
      if (met) waitMs = PAUSE_MS.first;
    }
    if (last) return 0;
    await delay(waitMs, undefined, { signal: end.signal }).catch(() => {});
  }
  return 0;
}

function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

process.exit(await main(process.argv[2] ?? ''));
