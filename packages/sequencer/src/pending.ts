import type { Condition, Direction, Failure, Json, JsonObject, PlanStep, Work } from '@signalbox/protocol';
import { clocksOf } from './clocks.ts';
import { guardsOf } from './decide/samples.ts';
import { dueRunMs } from './decide/time.ts';
import type { GateSpec } from './gate.ts';
import { resolveCondition, resolveObject } from './resolve.ts';
import { type Cell, isEnded, type RunState } from './state.ts';
import { type CellRef, indexOf } from './tree.ts';
import { cellOf } from './walk.ts';

type CommandWork = Extract<Work, { kind: 'command' }>;

/** Something to sample again and again, and what it is for. */
export interface WatchEffect {
  readonly type: 'watch';
  /** Stable while the same watch goes on; a new key begins a new window. */
  readonly key: string;
  readonly use: 'gate' | 'fence' | 'proof';
  readonly step: string;
  /** The host that is asked, and for a proof the host whose step waits. */
  readonly host: string;
  readonly waiting: string;
  readonly probe: string;
  readonly with: JsonObject;
  readonly everyMs: number;
  readonly spec: GateSpec;
  /** Evidence in the log that a fence is compared with. */
  readonly seed: Record<string, Json> | undefined;
}

export type Effect =
  | {
      readonly type: 'command';
      readonly step: string;
      readonly host: string;
      readonly direction: Direction;
      readonly attempt: number;
      readonly work: CommandWork;
    }
  | { readonly type: 'void'; readonly host: string; readonly commands: readonly string[]; readonly reason: string }
  | WatchEffect
  | {
      readonly type: 'record';
      readonly key: string;
      readonly step: string;
      readonly host: string;
      readonly probe: string;
      readonly with: JsonObject;
    }
  | {
      readonly type: 'round';
      readonly step: string;
      readonly round: number;
      readonly guards: readonly Omit<WatchEffect, 'type' | 'use' | 'waiting' | 'seed'>[];
    }
  | { readonly type: 'timer'; readonly runMs?: number; readonly atMs?: number }
  | {
      readonly type: 'page';
      readonly key: string;
      readonly why: PageWhy;
      readonly message: string;
      readonly next: string;
    }
  | { readonly type: 'closed'; readonly hosts: readonly string[]; readonly outcome: string };

export type PageWhy = 'held' | 'approval-wanted' | 'manual-wanted';

/**
 * What the world should now be asked to do, from the log alone: after a restart the same effects with the same ids and
 * bodies come out again, and doing them twice is harmless because of [I1].
 */
export function pending(state: RunState): Effect[] {
  if (isEnded(state)) return [{ type: 'closed', hosts: state.plan.hosts.map((h) => h.name), outcome: state.status }];
  const effects = indexOf(state.plan).refs.flatMap((ref) => ofCell(state, ref));
  return [...effects, ...timers(state), ...pages(state)];
}

function ofCell(state: RunState, ref: CellRef): Effect[] {
  const cell = cellOf(state, ref);
  const { host, leaf } = ref;
  const waiting = cell.phase === 'gated' || cell.phase === 'compensating';
  if (cell.work?.kind === 'command' && host !== null) return ofCommand(state, ref, cell, cell.work);
  if (leaf.kind === 'gate' && leaf.fence && isWatchedFence(state, ref, cell)) return [fenceWatch(state, ref, cell)];
  if (!waiting || !isMoving(state)) return [];
  switch (cell.work?.kind) {
    case 'gate':
      return leaf.kind === 'gate' && host !== null ? [gateWatch(state, ref, cell)] : [];
    case 'proof':
      return cell.work.guards.map((guard, i) => ({
        type: 'watch',
        key: `${ref.key}#proof${cell.attempts[cell.direction]}.${i}`,
        use: 'proof',
        step: leaf.id,
        host: guard.host,
        waiting: host ?? '',
        probe: guard.probe,
        with: guard.with,
        everyMs: 1_000,
        spec: { until: guard.until, failIf: undefined, forMs: 2_000, tolerateMs: 0, once: false },
        seed: undefined,
      }));
    case 'record':
      return host === null
        ? []
        : [
            {
              type: 'record',
              key: `${ref.key}#${cell.attempts[cell.direction]}`,
              step: leaf.id,
              host,
              probe: cell.work.probe,
              with: cell.work.with,
            },
          ];
    case 'round':
      return [
        {
          type: 'round',
          step: leaf.id,
          round: cell.work.round,
          guards: guardsOf({ state }, ref).flatMap((g) => guardSample(state, g)),
        },
      ];
    default:
      return [];
  }
}

function isMoving(state: RunState): boolean {
  return state.status === 'running' || state.status === 'compensating';
}

/** A command is asked for until its host has it; what must not begin any more is withdrawn. */
function ofCommand(state: RunState, ref: CellRef, cell: Cell, work: CommandWork): Effect[] {
  const host = ref.host ?? '';
  if (cell.accepted) return [];
  const withdraw = (reason: string): Effect[] => [{ type: 'void', host, commands: [work.id], reason }];
  if (cell.phase === 'unknown') return withdraw('its outcome is not known');
  if (state.status === 'paused') return withdraw('the run is paused');
  if (cell.phase === 'dispatched' && state.direction === 'undo') return withdraw('the run is being taken back');
  if (state.dropped.has(host)) return withdraw('the host is dropped');
  const direction = ref.leaf.only === 'undo' ? 'do' : cell.direction;
  return [{ type: 'command', step: cell.step, host, direction, attempt: cell.attempts[cell.direction], work }];
}

function gateWatch(state: RunState, ref: CellRef, cell: Cell): WatchEffect {
  return { ...watchOf(state, ref), key: `${ref.key}#${cell.attempts[cell.direction]}`, use: 'gate', seed: undefined };
}

function fenceWatch(state: RunState, ref: CellRef, cell: Cell): WatchEffect {
  return { ...watchOf(state, ref), key: `${ref.key}#fence${cell.attempts.do}`, use: 'fence', seed: cell.values };
}

function watchOf(state: RunState, ref: CellRef): Omit<WatchEffect, 'key' | 'use' | 'seed'> {
  if (ref.leaf.kind !== 'gate') throw new Error(`${ref.key} is no gate`);
  const { leaf } = ref;
  const target = leaf.targets.find((t) => t.host === ref.host);
  const until: Condition = {
    ...resolveCondition(state, target?.until ?? {}),
    ...state.adjustments.get(leaf.id)?.until,
  };
  return {
    type: 'watch',
    step: leaf.id,
    host: ref.host ?? '',
    waiting: ref.host ?? '',
    probe: leaf.probe,
    with: resolveObject(state, target?.with ?? {}),
    everyMs: leaf.everyMs,
    spec: {
      until,
      failIf: target?.failIf ? resolveCondition(state, target.failIf) : undefined,
      forMs: leaf.forMs,
      tolerateMs: leaf.tolerateMs,
      once: leaf.once,
    },
  };
}

function guardSample(state: RunState, ref: CellRef) {
  if (ref.leaf.kind !== 'gate' || ref.leaf.validWhile.length > 0) return [];
  const { type: _type, waiting: _waiting, ...watch } = watchOf(state, ref);
  return [{ ...watch, key: ref.key }];
}

/** A fence is watched from the moment it passes until the step that it protects starts; not on the way back. */
function isWatchedFence(state: RunState, ref: CellRef, cell: Cell): boolean {
  if (ref.leaf.kind !== 'gate' || !ref.leaf.fence || state.direction === 'undo' || cell.phase !== 'succeeded')
    return false;
  if (cell.broken !== undefined || (ref.host !== null && state.dropped.has(ref.host))) return false;
  const protects = indexOf(state.plan).byStep.get(ref.leaf.fence.until) ?? [];
  return !protects.some((r) => hasStarted(cellOf(state, r)));
}

/** For an approval in front of a point of no return, the start is the crossing itself. */
function hasStarted(cell: Cell): boolean {
  if (cell.work?.kind === 'approval' || cell.work?.kind === 'round' || cell.work?.kind === 'proof') return false;
  return cell.attempts.do > 0 && cell.phase !== 'pending' && cell.phase !== 'failed';
}

function timers(state: RunState): Effect[] {
  const cells = indexOf(state.plan).refs.flatMap((ref): Effect[] => {
    const dueMs = dueRunMs(state, ref);
    const retryMs = cellOf(state, ref).notBeforeRunMs;
    return [dueMs, retryMs].flatMap((runMs) => (runMs === undefined ? [] : [{ type: 'timer', runMs }]));
  });
  const clocks = clocksOf(state, state.runMs).flatMap(({ clock, elapsedMs, running }): Effect[] =>
    running && clock.budgetMs !== undefined && elapsedMs !== undefined && !state.budgets.has(clock.name)
      ? [{ type: 'timer', runMs: state.runMs + Math.max(0, clock.budgetMs - elapsedMs) }]
      : [],
  );
  return [...cells, ...clocks, ...groupTimers(state, state.plan.steps)];
}

function groupTimers(state: RunState, nodes: readonly PlanStep[]): Effect[] {
  return nodes.flatMap((node): Effect[] => {
    if (node.kind !== 'group') return [];
    const { notBeforeMs, decideByMs } = node.timing ?? {};
    const due = [notBeforeMs, state.deadlines.has(node.id) ? undefined : decideByMs];
    const own = due.flatMap((atMs): Effect[] =>
      atMs === undefined || atMs <= state.atMs ? [] : [{ type: 'timer', atMs }],
    );
    return [...own, ...groupTimers(state, node.children)];
  });
}

/** Whom a person at home must hear of: a held run that nobody looks at is an outage. */
function pages(state: RunState): Effect[] {
  if (state.status === 'held' && state.acknowledgedBy === undefined) {
    const first: Failure | undefined = state.reasons[0]?.failure;
    const message = state.reasons.map((r) => r.failure.message).join('; ');
    return [{ type: 'page', key: `held-${state.heldSinceMs}`, why: 'held', message, next: first?.next ?? '' }];
  }
  if (!isMoving(state)) return [];
  return indexOf(state.plan).refs.flatMap((ref): Effect[] => {
    const cell = cellOf(state, ref);
    if (cell.phase !== 'gated' && cell.phase !== 'compensating') return [];
    if (cell.work?.kind === 'approval') {
      const next = `signalbox approve ${state.run} '${ref.leaf.id}'`;
      return [
        {
          type: 'page',
          key: `${ref.key}#${cell.attempts.do}`,
          why: 'approval-wanted',
          message: `${ref.leaf.id} waits for approval`,
          next,
        },
      ];
    }
    if (cell.work?.kind !== 'manual') return [];
    const next = `do it, then: signalbox confirm ${state.run} '${ref.leaf.id}' --note ...`;
    return [{ type: 'page', key: `${ref.key}#${cell.direction}`, why: 'manual-wanted', message: cell.work.text, next }];
  });
}
