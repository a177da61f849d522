import { formatDuration, type HoldReason, type Plan } from '@signalbox/protocol';
import { type Cell, cellOf, cellOfReason, indexOf, isEnded, openReasons, type RunState } from '@signalbox/sequencer';
import { safeText } from '../cli/safe-text.ts';
import { awaitedFor } from './awaited.ts';
import { type Choice, choicesOf } from './choices.ts';
import { wrap } from './layout.ts';
import { leftLines } from './left-lines.ts';
import { type RunInput, type RunModel, runModel } from './model.ts';
import { clockLine, fenceText, quoted, statusText } from './status-lines.ts';
import { shortTime, timeOfDay } from './time.ts';
import { namedValues } from './values.ts';
import { wayText } from './way.ts';

const INDENT = 6;
const WIDTH = 110;

/** Screen 3: why the run is held, what is known, how long that is safe, and every way out with its whole command. */
export function heldScreen(input: RunInput): string[] {
  const { state } = input;
  const model = runModel(input);
  const { choices, cannot } = choicesOf(state, input.undoTimes);
  return [
    heldHead(model, input),
    '',
    ...block(
      'WHY',
      openReasons(state).flatMap((reason) => whyLines(input, reason)),
    ),
    ...block('LEFT', leftLines(state)),
    ...block('KNOWN', knownLines(input, model)),
    ...block('CLOCK', [clockText(model, state)]),
    '',
    ...backLines(input),
    'OR DECIDE (every one is logged with your name; --note required)',
    ...lookLines(state),
    ...choices.flatMap(choiceLines),
    ...block(
      'CANNOT',
      cannot.map(({ verb, why }) => `${verb}: ${safeText(why)}`),
    ),
  ];
}

function heldHead(model: RunModel, { away }: RunInput): string {
  const { run, mesh, way, acknowledgedBy } = model;
  const paged =
    acknowledgedBy === undefined ? 'page not acknowledged' : `page acknowledged by ${safeText(acknowledgedBy)}`;
  const parts = [run, mesh, statusText(model), wayText(way), paged, away === true ? 'NO COORDINATOR' : ''];
  return parts.filter((part) => part !== '').join('   ');
}

function block(name: string, lines: readonly string[]): string[] {
  return lines
    .flatMap((line) => wrap(line, WIDTH - INDENT))
    .map((line, i) => `${(i === 0 ? name : '').padEnd(INDENT)}${i === 0 && name.length >= INDENT ? ' ' : ''}${line}`);
}

function whyLines(input: RunInput, reason: HoldReason): string[] {
  const { state } = input;
  const { cause, step, host, failure } = reason;
  const way = cause === 'undo-failed' ? 'undoes' : 'does';
  const what = step === undefined ? undefined : stepLine(state.plan, { step, host: host ?? null }, way);
  if (cause === 'unknown' && host) {
    return [
      silenceText(input, reason) ?? safeText(failure.message),
      ...(what === undefined ? [] : [`  ${what}`]),
      `  Outcome UNKNOWN [${failure.code}]. It may or may not have been done. It will not be run again blindly.`,
    ];
  }
  return [
    ...(what === undefined ? [] : [what]),
    ...(host && state.silent.has(host) ? [`${host} has not answered${sinceOf(input, host)}`] : []),
    `${safeText(failure.message)} [${failure.code}]`,
    `  ${safeText(failure.next)}`,
  ];
}

/** That its host was not heard while a step ran there; undefined when the host has said more than that. */
function silenceText(input: RunInput, reason: HoldReason): string | undefined {
  const awaited = awaitedFor(input, reason);
  if (!awaited) return undefined;
  const { host, back } = awaited;
  const since = sinceOf(input, host);
  if (!back) return `${host} has not answered${since} while it ran`;
  return `${host} had not answered${since} while it ran; it is back since ${timeOfDay(back.sinceMs, input)}`;
}

/** ` since 02:31:02`, when the log says so. */
function sinceOf({ entries, timeZone }: RunInput, host: string): string {
  const silent = entries.flatMap(({ atMs, events }) =>
    events.flatMap((event) => (event.type === 'HostSilent' && event.host === host ? [event.lastSeenAtMs ?? atMs] : [])),
  );
  const seenMs = silent.at(-1);
  return seenMs === undefined ? '' : ` since ${timeOfDay(seenMs, { timeZone })}`;
}

/** `8 writers-stopped[svc] on kube-1: scale deployment/svc 2 -> 0` */
function stepLine(plan: Plan, { step, host }: { step: string; host: string | null }, way: 'does' | 'undoes'): string {
  const leaf = indexOf(plan).byStep.get(step)?.[0]?.leaf;
  if (leaf === undefined) return step;
  const target = leaf.kind === 'action' ? leaf.targets.find((t) => t.host === host) : undefined;
  const does =
    target?.[way] ?? (leaf.kind === 'manual' ? leaf.do : leaf.kind === 'gate' ? `gate on ${leaf.probe}` : '');
  const back = way === 'undoes' && leaf.kind === 'action' ? 'undo of ' : '';
  return `${leaf.number} ${back}${step}${host === null ? '' : ` on ${host}`}${does === '' ? '' : `: ${safeText(does)}`}`;
}

/** What is certain: what became of the same step elsewhere, what stands guard, what was measured, what still runs. */
function knownLines(input: RunInput, { fences }: RunModel): string[] {
  const { state, live, timeZone } = input;
  const { refs } = indexOf(state.plan);
  const written = new Set(openReasons(state).flatMap(({ step }) => numberOf(state, step)));
  const siblings = refs
    .filter((ref) => written.has(ref.leaf.number) && !isReason(state, ref.leaf.id, ref.host))
    .flatMap((ref) => siblingText(cellOf(state, ref), { timeZone }));
  const samples = (live?.gates ?? []).flatMap(({ step, host, samples: taken }) => {
    const newest = taken.at(-1);
    const values = newest ? namedValues(Object.keys(newest.values), newest.values) : '';
    return newest ? [`${step} on ${host}: ${values} (${formatDuration(newest.ageMs)} old)`] : [];
  });
  const probed = openReasons(state).flatMap((reason) => {
    const cell = cellOfReason(state, reason);
    return cell?.probed === undefined ? [] : [`the probe of ${cell.step} says ${cell.probed}`];
  });
  const sampled = new Set((live?.gates ?? []).map(({ step }) => step));
  const standing = fences.filter(({ step }) => !sampled.has(step)).map((fence) => `fence ${fenceText(fence)}`);
  const lines = [...siblings, ...stillRun(input), ...probed, ...samples.map(safeText), ...standing];
  return lines.length > 0 ? lines : ['nothing more than the above'];
}

/** What a host that is back said in its last beat that it is at. */
function stillRun({ state, hosts }: RunInput): string[] {
  return openReasons(state).flatMap((reason) => {
    const { step, host, work } = cellOfReason(state, reason) ?? {};
    if (!host || work?.kind !== 'command' || state.silent.has(host)) return [];
    const running = hosts.find(({ name }) => name === host)?.health?.running;
    return running?.includes(work.id) ? [`${host} is still at ${step}`] : [];
  });
}

function numberOf(state: RunState, step: string | undefined): number[] {
  const leaf = step === undefined ? undefined : indexOf(state.plan).byStep.get(step)?.[0]?.leaf;
  return leaf ? [leaf.number] : [];
}

function isReason(state: RunState, step: string, host: string | null): boolean {
  return openReasons(state).some((reason) => reason.step === step && (reason.host ?? null) === host);
}

function siblingText({ step, host, phase, endedAtMs }: Cell, zone: { timeZone?: string | undefined }): string[] {
  if (phase === 'pending' || phase === 'dropped' || phase === 'skipped') return [];
  const when = endedAtMs === undefined ? '' : ` (${timeOfDay(endedAtMs, zone)})`;
  return [`${step}${host === null ? '' : ` on ${host}`}: ${phase}${when}`];
}

function clockText(model: RunModel, state: RunState): string {
  const clocks = clockLine(model);
  const safe = model.deadlines.flatMap(({ lastSafeMs }) => lastSafeMs ?? []);
  const until = safe.length > 0 ? `Waiting is safe until ${shortTime(Math.min(...safe), model)}.` : '';
  return [clocks === undefined ? '' : `${clocks}.`, until, runningText(state)].filter((part) => part !== '').join(' ');
}

function runningText(state: RunState): string {
  if (isEnded(state)) return '';
  const running = [...state.cells.values()].filter(({ phase }) => phase === 'dispatched' || phase === 'compensating');
  if (running.length === 0) return 'Nothing else is running.';
  return `Still running: ${running.map(({ step, host }) => `${step} on ${host}`).join(', ')}.`;
}

/** Only an outcome that nobody knows resolves itself; every other hold waits for a person. */
function backLines(input: RunInput): string[] {
  const reasons = openReasons(input.state);
  const awaited = reasons.flatMap((reason) => awaitedFor(input, reason) ?? []);
  const away = [...new Set(awaited.filter(({ back }) => !back).map(({ host }) => host))];
  const back = new Map(awaited.flatMap(({ host, back }) => (back ? [[host, back.byMs] as const] : [])));
  const all = awaited.length === reasons.length;
  const what = all ? 'and the run goes on. No command needed.' : 'what became of its step. The rest needs a person.';
  const lines = [
    ...(away.length > 0 ? [`WHEN ${away.join(' and ')} ${away.length > 1 ? 'ARE' : 'IS'} BACK the probe`] : []),
    ...[...back].map(([host, byMs]) => `${host} IS BACK: what it says by ${timeOfDay(byMs, input)}`),
  ].map((line) => `${line} decides by itself ${what}`);
  return lines.length > 0 ? [...lines, ''] : [];
}

/** Before anybody says what became of a step, they should have seen it. */
function lookLines(state: RunState): string[] {
  const unknown = openReasons(state).find(({ cause, host }) => cause === 'unknown' && host);
  if (!unknown?.host || unknown.step === undefined) return [];
  const command = state.silent.has(unknown.host)
    ? `on ${unknown.host}: signalbox-agent journal --run ${state.run}`
    : `signalbox logs ${state.run} ${quoted(unknown.step)} --host ${unknown.host}`;
  const follows = state.silent.has(unknown.host)
    ? 'what that host did, from its own journal; needs no mesh'
    : 'what it printed';
  return choiceLines({ title: 'look by hand', command, follows });
}

function choiceLines({ title, command, follows }: Choice): string[] {
  return [`  ${title.padEnd(17)} ${command}`, `  ${''.padEnd(17)} ${safeText(follows)}`];
}
