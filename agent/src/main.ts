#!/usr/bin/env node
import './small-heap.ts';
import { SignalboxError } from '@signalbox/protocol';
import { CommanderError } from 'commander';
import { parseCli } from './cli.ts';
import { loadConfig } from './config.ts';
import { exitCodeOf } from './exit-codes.ts';
import { showJournal } from './journal-command.ts';
import { openDoor } from './messenger/door.ts';
import { socketHandedOver } from './messenger/handed-over.ts';
import { serve } from './serve.ts';
import { systemClock } from './system.ts';
import { VERSION } from './version.ts';

async function main(argv: readonly string[]): Promise<number> {
  const invocation = parseCli(argv, VERSION);
  if (invocation.type === 'serve') return await serveAt(invocation.config);
  if (invocation.type === 'join') {
    const { joinMesh } = await import('./join.ts');
    for (const line of await joinMesh(invocation, systemClock.nowMs())) process.stdout.write(`${line}\n`);
    return 0;
  }
  const { config, run, json } = invocation;
  const stateDir = invocation.stateDir ?? loadConfig(config ?? '').stateDir;
  return showJournal({ stateDir, run, json }, (line) => process.stdout.write(`${line}\n`));
}

/** Whoever waits at the door hears why there is no agent behind it. */
async function serveAt(file: string): Promise<number> {
  const socket = await socketHandedOver(process.env);
  const door = socket && openDoor(socket);
  try {
    return await serve(loadConfig(file), file, door);
  } catch (error) {
    if (error instanceof SignalboxError) await door?.refuse(error.failure, exitCodeOf(error.failure));
    throw error;
  }
}

async function exitCode(): Promise<number> {
  try {
    return await main(process.argv.slice(2));
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof SignalboxError)) throw error;
    process.stderr.write(`signalbox-agent: ${error.message}\n  ${error.failure.next}\n`);
    return exitCodeOf(error.failure);
  }
}

// Not left to the event loop: a step that goes on without the agent would keep it alive.
process.exit(await exitCode());
