import { type Condition, DEFAULTS, formatDuration, type ProbeSpec, parseDuration } from '@signalbox/protocol';
import type { Report, Span } from '../diagnostic.ts';
import type { Scope, Step } from '../model.ts';
import { entriesOf, get, isFlagged, itemsOf, keyAt, type MapNode, type Node, valueSpan } from '../node.ts';
import { findStep, gateBody, idsIn, isBefore } from '../step-queries.ts';
import { hintFor } from '../suggest.ts';
import type { CheckContext } from './context.ts';

/** Gates can pass, say something new at each sample, and fences are watched over a stretch that exists. */
export function checkGates(context: CheckContext): void {
  for (const step of context.runbook.byPath.values()) {
    if (step.kind !== 'gate') continue;
    const body = gateBody(step);
    const probe = context.lookup.probeOf(step);
    if (probe) checkWindow(step, { body, probe, report: context.report });
    checkFence(step, context);
  }
  checkClocks(context);
}

interface Asked {
  body: MapNode;
  probe: ProbeSpec;
  report: Report;
}

/** The times of a gate against each other and against its probe; asked again of the plan, where they are resolved. */
export function checkWindow(step: Step, { body, probe, report }: Asked): void {
  const ms = (key: string) => durationOf(get(body, key), step.scope);
  const [forMs, everyMs, timeoutMs] = [ms('for'), ms('every'), ms('timeout') ?? DEFAULTS.gateTimeoutMs];
  const once = isFlagged(get(body, 'once'));
  const refreshes = probe.refreshesMs;
  if (refreshes !== undefined && forMs !== undefined && forMs < 2 * refreshes) {
    const message = `\`${probe.name}\` refreshes every ${formatDuration(refreshes)}; ${formatDuration(forMs)} may be one old value.`;
    report('SB301', valueSpan(body, 'for'), {
      message,
      hint: `Make \`for\` at least ${formatDuration(2 * refreshes)}.`,
    });
  }
  if (refreshes !== undefined && everyMs !== undefined && everyMs < refreshes) {
    const message = `\`${probe.name}\` refreshes every ${formatDuration(refreshes)}, and is sampled every ${formatDuration(everyMs)}.`;
    report('SB302', valueSpan(body, 'every'), { message });
  }
  if (forMs !== undefined && forMs > timeoutMs) {
    const message = `It must hold for ${formatDuration(forMs)}, and is given up after ${formatDuration(timeoutMs)}.`;
    report('SB316', valueSpan(body, body.entries.has('timeout') ? 'timeout' : 'for'), { message });
  }
  const trend = trendIn(get(body, 'until'));
  if (once && trend) report('SB316', trend, { message: 'One sample has no trend, so this never holds.' });
  if (!once && !body.entries.has('for') && !step.node.entries.has('holdUntil')) {
    report('SB317', valueSpan(step.node, 'id'), { message: `\`${step.path}\` passes on its first good sample.` });
  }
}

const TRENDS: readonly (keyof Condition[string])[] = ['rising', 'still', 'changed'];

function trendIn(until: Node | undefined): Span | undefined {
  const operators = entriesOf(until).flatMap(([, { value }]) => entriesOf(value));
  return operators.find(([name]) => TRENDS.some((trend) => trend === name))?.[1].key;
}

function checkFence(step: Step, { runbook, report }: CheckContext): void {
  const { node } = step;
  const until = get(node, 'holdUntil');
  if (until?.kind === 'scalar') {
    const target = findStep(runbook, step.scope, until.text);
    if (!target) unknownStep(until.text, until.at, { step, runbook, report });
    else if (!isBefore(step, target)) {
      const message = `\`${step.path}\` is to hold until \`${until.text}\` (line ${target.at.line}), which does not come after it.`;
      report('SB315', until.at, { message });
    }
  } else if (node.entries.has('onBreak')) {
    report('SB319', keyAt(node, 'onBreak'), { message: '`onBreak` without `holdUntil`: this gate is not watched.' });
  }
  for (const name of itemsOf(get(node, 'validWhile'))) {
    if (name.kind !== 'scalar') continue;
    const fence = findStep(runbook, step.scope, name.text);
    if (!fence) unknownStep(name.text, name.at, { step, runbook, report });
    else if (!fence.node.entries.has('holdUntil')) {
      report('SB319', name.at, { message: `\`${name.text}\` is no fence: it has no \`holdUntil\`.` });
    } else if (!isBefore(fence, step)) {
      report('SB315', name.at, { message: `The fence \`${name.text}\` (line ${fence.at.line}) comes later.` });
    }
  }
}

function checkClocks({ runbook, report }: CheckContext): void {
  for (const { name, from, to } of runbook.downtime) {
    const [start, end] = [from, to].map(({ id, at }) => {
      const step = runbook.byPath.get(id);
      if (!step)
        report('SB215', at, { message: `There is no step \`${id}\`.`, hint: hintFor(id, runbook.byPath.keys()) });
      return step;
    });
    if (start && end && end.order <= start.order) {
      const message = `The clock \`${name}\` stops with \`${to.id}\`, which comes before it starts with \`${from.id}\`.`;
      report('SB315', to.at, { message });
    }
  }
}

function unknownStep(
  id: string,
  at: Span,
  { step, runbook, report }: Pick<CheckContext, 'runbook' | 'report'> & { step: Step },
) {
  report('SB215', at, { message: `There is no step \`${id}\`.`, hint: hintFor(id, idsIn(runbook, step.scope)) });
}

/** A duration as written, or the default of the parameter that it is; undefined when only the plan knows. */
function durationOf(node: Node | undefined, scope: Scope): number | undefined {
  if (node?.kind !== 'scalar') return undefined;
  const name = /^\$\{params\.([^.}]+)\}$/.exec(node.text)?.[1];
  const value = name === undefined ? node : scope.params.get(name)?.default;
  return value?.kind === 'scalar' ? parseDuration(value.text) : undefined;
}
