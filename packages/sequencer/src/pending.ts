import type { Direction, Json, JsonObject, SignedApproval, VoteGuard, Work } from '@signalbox/protocol';
import { signedApprovals } from './agreed.ts';
import type { Cell } from './cell.ts';
import { untilOf } from './conditions.ts';
import { type TimerEffect, timers } from './due.ts';
import { isWatchedFence } from './fences.ts';
import type { GateSpec } from './gate.ts';
import { fenceKey, gateKey, proofKey, recordKey } from './keys.ts';
import { type PageEffect, pages } from './pages.ts';
import { resolveCondition, resolveObject } from './resolve.ts';
import { isContradicted, isEnded, isMoving, type RunState } from './state.ts';
import { type CellRef, indexOf, inputOf, sourcesOf } from './tree.ts';
import { openRound } from './voters.ts';
import { cellOf } from './walk.ts';

type WorkOf<K extends Work['kind']> = Extract<Work, { kind: K }>;

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
      readonly work: WorkOf<'command'>;
      /** What hosts have signed of the values that it takes over. */
      readonly sealed?: readonly string[];
      /** What people have signed of the approvals that it comes after. */
      readonly approvals?: readonly SignedApproval[];
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
      readonly type: 'vote';
      readonly host: string;
      readonly step: string;
      readonly round: number;
      readonly roundNonce: string;
      readonly validMs: number;
      readonly guards: readonly VoteGuard[];
    }
  | { readonly type: 'release'; readonly host: string; readonly round: number }
  | { readonly type: 'seal'; readonly hosts: readonly string[]; readonly step: string; readonly round: number }
  | TimerEffect
  | PageEffect
  | { readonly type: 'closed'; readonly hosts: readonly string[]; readonly outcome: string };

/** How often, and for how long, the other hosts of an exclusive resource are asked before it starts here [I10]. */
const PROOF = { everyMs: 1_000, forMs: 2_000 } as const;

/**
 * What the world should now be asked to do, from the log alone: after a restart the same effects with the same ids and
 * bodies come out again, and doing them twice is harmless because of [I1].
 */
export function pending(state: RunState): Effect[] {
  if (isEnded(state)) return [{ type: 'closed', hosts: state.plan.hosts.map((h) => h.name), outcome: state.status }];
  const effects = indexOf(state.plan).refs.flatMap((ref) => ofCell(state, ref));
  return [...releases(state), ...seals(state), ...effects, ...timers(state), ...pages(state)];
}

/** Whoever may have voted in a round that came to nothing undoes nothing until it is told so [D4]. */
function releases(state: RunState): Effect[] {
  if (state.asked.size === 0) return [];
  const open = indexOf(state.plan).refs.find((ref) => ref.leaf.kind === 'pointOfNoReturn' && openRound(state, ref));
  const round = open && openRound(state, open)?.round;
  return [...state.asked].flatMap(([host, asked]) => (asked === round ? [] : { type: 'release', host, round: asked }));
}

/** Every host of the run hears that there is no way back, not only those that voted [I3]. */
function seals({ crossing, plan }: RunState): Effect[] {
  if (!crossing) return [];
  const { step, round } = crossing;
  return [{ type: 'seal', hosts: plan.hosts.map((host) => host.name), step, round }];
}

function ofCell(state: RunState, ref: CellRef): Effect[] {
  const cell = cellOf(state, ref);
  const { work } = cell;
  if (work?.kind === 'command') return ofCommand(state, ref, { cell, work });
  if (isWatchedFence(state, ref)) return [fenceWatch(state, ref)];
  const waits = cell.phase === 'gated' || cell.phase === 'compensating';
  if (!work || !waits || !isMoving(state)) return [];
  const at = { step: ref.leaf.id, host: ref.host ?? '' };
  switch (work.kind) {
    case 'gate':
      return [gateWatch(state, ref, work)];
    case 'proof':
      return work.guards.map((guard, index) => proofWatch(ref, guard, proofKey(cell, index)));
    case 'record':
      return [{ type: 'record', key: recordKey(cell), ...at, probe: work.probe, with: work.with }];
    case 'round': {
      const { round, roundNonce, validMs, voters } = work;
      const open = voters.filter(({ host }) => !state.votes.has(host));
      return open.map((voter) => ({ type: 'vote', step: ref.leaf.id, round, roundNonce, validMs, ...voter }));
    }
    default:
      return [];
  }
}

/** A command is asked for until its host has it; what must not begin any more is withdrawn. */
function ofCommand(state: RunState, ref: CellRef, { cell, work }: { cell: Cell; work: WorkOf<'command'> }): Effect[] {
  const host = ref.host ?? '';
  if (cell.accepted || isContradicted(state)) return [];
  const why = whyWithdrawn(state, cell);
  if (why !== undefined) return [{ type: 'void', host, commands: [work.id], reason: why }];
  const direction = ref.onlyUndo ? 'do' : cell.direction;
  const sealed = sealedSources(state, ref);
  const sources = sealed.length > 0 ? { sealed } : {};
  const approvals = signedApprovals(state, ref);
  const agreed = approvals.length > 0 ? { approvals } : {};
  const attempt = cell.attempts[cell.direction];
  return [{ type: 'command', step: cell.step, host, direction, attempt, work, ...sources, ...agreed }];
}

function sealedSources({ plan, cells }: RunState, ref: CellRef): string[] {
  if (indexOf(plan).sources.size === 0) return [];
  return [...sourcesOf(plan, inputOf(ref))].flatMap((key) => cells.get(key)?.sealed ?? []);
}

function whyWithdrawn(state: RunState, cell: Cell): string | undefined {
  if (cell.phase === 'unknown') return 'its outcome is not known';
  if (state.paused) return 'the run is paused';
  if (cell.phase === 'dispatched' && state.direction === 'undo') return 'the run is being taken back';
  if (cell.host === null) return undefined;
  if (cell.phase === 'dispatched' && state.dropping.has(cell.host)) return 'the host is being taken back';
  return state.dropped.get(cell.host)?.group === null ? 'the host is dropped' : undefined;
}

function gateWatch(state: RunState, ref: CellRef, work: WorkOf<'gate'>): WatchEffect {
  return {
    ...watchOf(state, ref),
    key: gateKey(state, cellOf(state, ref)),
    use: 'gate',
    with: work.with,
    seed: undefined,
  };
}

function fenceWatch(state: RunState, ref: CellRef): WatchEffect {
  const cell = cellOf(state, ref);
  return { ...watchOf(state, ref), key: fenceKey(state, cell), use: 'fence', seed: cell.values };
}

function proofWatch(ref: CellRef, guard: WorkOf<'proof'>['guards'][number], key: string): WatchEffect {
  return {
    type: 'watch',
    key,
    use: 'proof',
    step: ref.leaf.id,
    host: guard.host,
    waiting: ref.host ?? '',
    probe: guard.probe,
    with: guard.with,
    everyMs: PROOF.everyMs,
    spec: {
      until: guard.until,
      failIf: undefined,
      forMs: PROOF.forMs,
      tolerateMs: 0,
      once: false,
      everyMs: PROOF.everyMs,
    },
    seed: undefined,
  };
}

function watchOf(state: RunState, ref: CellRef): Omit<WatchEffect, 'key' | 'use' | 'seed'> {
  if (ref.leaf.kind !== 'gate') throw new Error(`${ref.key} is no gate`);
  const { leaf } = ref;
  const target = leaf.targets.find((t) => t.host === ref.host);
  return {
    type: 'watch',
    step: leaf.id,
    host: ref.host ?? '',
    waiting: ref.host ?? '',
    probe: leaf.probe,
    with: resolveObject(state, target?.with ?? {}),
    everyMs: leaf.everyMs,
    spec: {
      until: untilOf(state, leaf, ref.host),
      failIf: target?.failIf ? resolveCondition(state, target.failIf) : undefined,
      forMs: leaf.forMs,
      tolerateMs: leaf.tolerateMs,
      once: leaf.once,
      everyMs: leaf.everyMs,
    },
  };
}
