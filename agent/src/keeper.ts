#!/usr/bin/env node
import './small-heap.ts';
import { realpathSync } from 'node:fs';
import { takeName } from './exclusive.ts';
import { openDoor } from './executor/keeper/door.ts';
import { createKeeper } from './executor/keeper/keeper.ts';
import { KEEPER_VERSION, READY } from './executor/keeper/wire.ts';

/** How long a keeper waits for the next process before it ends: an idle host pays nothing. */
const IDLE_MS = 60_000;

// A keeper goes when nothing is left to keep, and not when a terminal or a service manager says so to all.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => {});

const folder = realpathSync(process.argv[2] ?? '');
const name = await takeName(`signalbox-keeper-${KEEPER_VERSION}`, folder);
// Another one was faster: whoever started this one connects to that one.
if (name === undefined) process.exit(0);
const keeper = createKeeper();
await openDoor(folder, { keeper, idleMs: IDLE_MS, release: () => void name.close(), exit: () => process.exit(0) });
process.stdout.on('error', () => {});
process.stdout.write(READY);
