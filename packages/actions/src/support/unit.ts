import { readFile } from 'node:fs/promises';
import { type Failure, type HostContext, isJsonObject, type JsonObject, SignalboxError } from '@signalbox/protocol';
import { readProcessStat, readUnit, showUnitArgv, UNIT_PATTERN, type UnitReading } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import type { Begun } from '../contract.ts';
import { succeed } from './exec.ts';

export const UnitName = z.string().max(255).regex(UNIT_PATTERN, 'a unit with its suffix, as in remesd.service');

/** @throws SB-ACT-PROGRAM-MISSING, SB-ACT-COMMAND-FAILED, SB-ACT-COMMAND-CUT */
export async function lookAtUnit(context: HostContext, unit: string): Promise<UnitReading> {
  const { stdout } = await succeed(context, showUnitArgv(unit), { quiet: true, timeoutMs: 15_000 });
  return readUnit(stdout);
}

/** What a step's way back must know of a unit. Nothing that changes by itself: drift would see it. */
export function unitReceipt(reading: UnitReading): JsonObject {
  const { activeState, subState, unitFileState } = reading;
  return { activeState, subState, unitFileState };
}

/** The same with the start of the unit that ran then, which tells it from one that came up later. */
export function unitReceiptWithStart(reading: UnitReading): JsonObject {
  return { ...unitReceipt(reading), own: { instance: startOf(reading) } };
}

/** Whether it is still the start of the unit that a receipt tells of. Undefined: the receipt does not tell. */
export function isStartOf({ own }: JsonObject, reading: UnitReading): boolean | undefined {
  return isJsonObject(own) ? own.instance === startOf(reading) : undefined;
}

/** It came up before its way back was begun, at boot or by somebody's hand, and is no work of that. */
export function cameUpBefore(receipt: JsonObject, reading: UnitReading, begun: Begun | undefined): boolean {
  const [startedMs, begunMs] = [reading.startedMonotonicMs, begun?.monotonicMs];
  const early = startedMs !== undefined && begunMs !== undefined && startedMs < begunMs;
  return early && isStartOf(receipt, reading) === false;
}

function startOf({ invocationId, mainPid }: UnitReading): string {
  return invocationId || String(mainPid);
}

export function unitProblems(unit: string, reading: UnitReading): Failure[] {
  if (reading.loadState !== 'not-found') return [];
  return [actionError('SB-ACT-UNIT-MISSING', `systemd knows no ${unit} here`).failure];
}

/** A unit file in /etc outranks a mask of this boot. */
export function maskProblems(unit: string, { fragmentPath }: UnitReading): Failure[] {
  if (!fragmentPath.startsWith('/etc/')) return [];
  return [actionError('SB-ACT-MASK-OUTRANKED', `${unit} is read from ${fragmentPath}`).failure];
}

export function isDown(reading: UnitReading): boolean {
  return reading.activeState === 'inactive' || reading.activeState === 'failed';
}

/** On its way up or down by itself. Between two automatic restarts it is not: that can go on for ever. */
export function isChanging({ activeState, subState }: UnitReading): boolean {
  return activeState === 'deactivating' || (activeState === 'activating' && subState !== 'auto-restart');
}

/** Whether a receipt says that the unit ran. @throws SB-ACT-NO-RECEIPT when it says nothing. */
export function wasUp(unit: string, receipt: JsonObject): boolean {
  const { activeState } = receipt;
  if (typeof activeState !== 'string') {
    throw actionError('SB-ACT-NO-RECEIPT', `nobody recorded whether ${unit} ran before the step`);
  }
  return activeState !== 'inactive' && activeState !== 'failed' && activeState !== 'deactivating';
}

/**
 * A stopped unit without a process, or an exception: data is copied and programs are replaced only under one [T01, T04].
 * @throws SB-ACT-UNIT-ACTIVE, SB-ACT-UNIT-MISSING
 */
export async function requireStopped(context: HostContext, unit: string): Promise<void> {
  const reading = await lookAtUnit(context, unit);
  const [problem] = unitProblems(unit, reading);
  if (problem) throw new SignalboxError(problem);
  if (!isDown(reading) || reading.mainPid > 0 || (reading.tasks ?? 0) > 0) {
    throw actionError('SB-ACT-UNIT-ACTIVE', `${unit} is ${reading.activeState} (main process ${reading.mainPid})`);
  }
}

/** Start time of a process in clock ticks since boot: with the pid it names one process, also after the pid is reused. */
export async function processStart(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { state, startTicks } = readProcessStat(text);
  return state === 'Z' ? undefined : startTicks;
}
