import { formatClock, formatDuration } from '@signalbox/protocol';
import { safeText } from '../cli/safe-text.ts';
import type { FenceModel, HostModel, RunModel } from './model.ts';
import { shortTime, timeOfDay } from './time.ts';
import type { UndoTime } from './undo-time.ts';
import { wayText } from './way.ts';

/** The first line of every screen of a run: which mesh, which run, and whether there is a way back. */
export function headLine(model: RunModel): string {
  const { run, mesh, owner, nowMs } = model;
  return [run, mesh, statusText(model), wayText(model.way), `owner ${safeText(owner)}`, timeOfDay(nowMs, model)]
    .filter((part) => part !== '')
    .join('   ');
}

export function statusText({ status, heldSinceMs, nowMs, timeZone }: RunModel): string {
  if (status !== 'held' || heldSinceMs === undefined) return status.toUpperCase();
  return `HELD since ${timeOfDay(heldSinceMs, { timeZone })} (${formatClock(nowMs - heldSinceMs)})`;
}

/** `writes down 4:12 of 10:00   decide by 04:30 (2:08:53 left; last safe abort 04:28)`; undefined when nothing runs. */
export function clockLine(model: RunModel): string | undefined {
  const clocks = model.clocks.map(({ clock, elapsedMs = 0, running }) => {
    const budget = clock.budgetMs === undefined ? '' : ` of ${formatClock(clock.budgetMs)}`;
    const over = clock.budgetMs !== undefined && elapsedMs > clock.budgetMs ? ' OVER BUDGET' : '';
    return `${clock.name} ${running ? 'down' : 'was down'} ${formatClock(elapsedMs)}${budget}${over}`;
  });
  const deadlines = model.deadlines.map(({ decideByMs, leftMs, lastSafeMs }) => {
    const safe = lastSafeMs === undefined ? '' : `; last safe abort ${shortTime(lastSafeMs, model)}`;
    return `decide by ${shortTime(decideByMs, model)} (${formatClock(leftMs)} left${safe})`;
  });
  const parts = [...clocks, ...deadlines, ...windowText(model)];
  return parts.length > 0 ? parts.join('   ') : undefined;
}

/** `window opens 02:00 (in 8:53)`, `window ends 05:00 (2:08:53 left)`. */
function windowText({ window, nowMs, ...zone }: RunModel): string[] {
  if (!window) return [];
  const { opensInMs, notBeforeMs, notAfterMs } = window;
  if (opensInMs !== undefined && notBeforeMs !== undefined) {
    return [`window opens ${shortTime(notBeforeMs, zone)} (in ${formatClock(opensInMs)})`];
  }
  if (notAfterMs === undefined) return [];
  if (nowMs >= notAfterMs) return [`window over since ${shortTime(notAfterMs, zone)}: no step is begun`];
  return [`window ends ${shortTime(notAfterMs, zone)} (${formatClock(notAfterMs - nowMs)} left)`];
}

export function fenceText({ step, values, broken, sinceMs }: FenceModel): string {
  const last = broken?.word === 'UNSEEN' && values !== '' ? `; last seen ${values}` : '';
  if (broken) return `${step} ${broken.word}: ${safeText(broken.why)}${last}`;
  return `${step} ok ${formatClock(sinceMs)}${values === '' ? '' : `, ${values}`}`;
}

export function hostText({ name, state, sinceMs, refusing }: HostModel): string {
  const since = sinceMs === undefined ? '' : ` ${formatDuration(sinceMs)}`;
  return `${name} ${state}${since}${refusing ? ` refusing ${refusing.code}` : ''}`;
}

/** `mirror-1 ok 400ms   kube-1 ok 1.1s   skew 12ms` */
export function hostsLine({ hosts, skewMs }: RunModel): string {
  const skew = skewMs === undefined ? [] : [`skew ${formatDuration(skewMs)}`];
  return [...hosts.map(hostText), ...skew].join('   ');
}

/** What a person has to do now, with the whole command. */
export function nextLines(model: RunModel): string[] {
  const wishes = model.wishes.map(({ kind, step, text }) => {
    const said = text === '' ? '' : `   ${safeText(text)}`;
    return kind === 'approval'
      ? `signalbox approve ${model.run} ${quoted(step)}${said}`
      : `do by hand: ${safeText(text)}. Then: signalbox confirm ${model.run} ${quoted(step)} --note ...`;
  });
  if (wishes.length > 0) return wishes;
  if (model.way.kind === 'over') {
    const { undo } = model.way;
    const back = undo === undefined ? [] : [`signalbox undo ${model.run} takes ${countOf(undo)} back with a new run`];
    return [`it is over: signalbox report ${model.run}`, ...back];
  }
  if (model.status === 'paused') return [`paused. Then: signalbox resume ${model.run}`];
  if (model.window?.opensInMs !== undefined) {
    return [`nothing to do: it begins by itself when its window opens, in ${formatClock(model.window.opensInMs)}`];
  }
  const then = model.thenApprove === undefined ? '' : ` Then: approve ${model.thenApprove}.`;
  return [`nothing to do.${then}`];
}

function countOf({ undos }: UndoTime): string {
  return undos === 1 ? 'what one step did on its host' : `what ${undos} steps did on their hosts`;
}

/** Brackets mean something to a shell. */
export function quoted(step: string): string {
  return /^[\w./-]+$/.test(step) ? step : `'${step}'`;
}
