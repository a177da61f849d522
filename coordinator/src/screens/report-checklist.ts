import type { GroupStep, Json, LeafStep, LogEntry, PlanStep, RunEvent } from '@signalbox/protocol';
import { type CellRef, cellKey, cellOf, indexOf, type RunState, spokenId } from '@signalbox/sequencer';

/** One item of a checklist: what was asked, how it was answered, by whom, when, and with which value or note. */
export interface ReportItem {
  readonly item: string;
  readonly host: string | null;
  readonly how: string;
  readonly phase: string;
  readonly who: string | undefined;
  readonly atMs: number | undefined;
  readonly values: Readonly<Record<string, Json>>;
  readonly note: string | undefined;
}

type Success = Extract<RunEvent, { type: 'StepSucceeded' }> & { readonly atMs: number };

/** @param asked what a gate wanted to see: of all that a probe measures, the values that decided. */
export function checklistOf(
  state: RunState,
  entries: readonly LogEntry[],
  asked: (event: Success, leaf: LeafStep) => Readonly<Record<string, Json>>,
): ReportItem[] {
  const answers = new Map(entries.flatMap(({ atMs, events }) => events.flatMap((event) => answer(event, atMs))));
  const { refs } = indexOf(state.plan);
  const left = groupsIn(state.plan.steps).filter(({ checklist, skip }) => checklist && skip !== undefined);
  const items = refs.filter(({ groups, left }) => !left && groups.some(({ checklist }) => checklist));
  return [
    ...left.map(({ id, skip }) => ({
      ...NOT_YET,
      item: spokenId(id),
      host: null,
      how: '',
      phase: 'left out',
      note: skip,
    })),
    ...items.map((ref) => {
      const said = answers.get(ref.key);
      const base = { ...NOT_YET, item: spokenId(ref.leaf.id), host: ref.host, how: howOf(ref) };
      const phase = cellOf(state, ref).phase;
      if (said === undefined) return { ...base, phase };
      const { atMs, by, note } = said;
      return { ...base, phase, atMs, note, who: by?.name, values: asked(said, ref.leaf) };
    }),
  ];
}

const NOT_YET = { who: undefined, atMs: undefined, values: {}, note: undefined };

/** The last answer counts: an item that was asked again was not good enough before. */
function answer(event: RunEvent, atMs: number): [string, Success][] {
  if (event.type !== 'StepSucceeded' || event.direction !== 'do') return [];
  return [[cellKey(event.step, event.host), { ...event, atMs }]];
}

function groupsIn(steps: readonly PlanStep[]): GroupStep[] {
  return steps.flatMap((step) => (step.kind === 'group' ? [step, ...groupsIn(step.children)] : []));
}

function howOf({ leaf }: CellRef): string {
  switch (leaf.kind) {
    case 'gate':
    case 'record':
      return `measured, ${leaf.probe}`;
    case 'action':
      return `done, ${leaf.action}`;
    case 'approval':
      return 'approved';
    default:
      return 'confirmed';
  }
}
