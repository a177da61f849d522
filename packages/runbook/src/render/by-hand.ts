import { commandByHand, type JsonObject, type LeafStep, type Plan } from '@signalbox/protocol';
import { conditionInWords, momentInWords, walk } from './words.ts';

/**
 * What to do with no mesh at all, printed before the night: every step on every host in order, and the way back. Nothing
 * watches fences then, and nobody proves exclusive resources stopped but the person who reads this.
 */
export function planByHand(plan: Plan): string {
  const leaves: LeafStep[] = [];
  walk(plan.steps, (step) => {
    if (step.kind !== 'group' && step.skip === undefined) leaves.push(step);
  });
  const crossing = leaves.findLastIndex((s) => s.kind === 'pointOfNoReturn');
  const back = (crossing === -1 ? leaves : leaves.slice(0, crossing)).toReversed().flatMap(wayBack);
  return [
    `${plan.runbook.name} by hand   mesh ${plan.mesh}   made ${momentInWords(plan.madeAtMs)} by ${plan.madeBy}`,
    'Before you begin: no coordinator may still run this; stop it, or take its run over by hand as a whole.',
    '',
    'FORWARD',
    ...leaves.filter((s) => s.only === undefined).flatMap(forward),
    '',
    crossing === -1 ? 'BACK' : `BACK (only before ${leaves[crossing]?.id})`,
    ...(back.length > 0 ? back : ['  nothing']),
    '',
  ].join('\n');
}

function line(step: LeafStep, host: string | undefined, text: string): string {
  return `  [ ] ${String(step.number).padStart(2)} ${step.id}${host ? ` on ${host}` : ''}: ${text}`;
}

function forward(step: LeafStep): string[] {
  switch (step.kind) {
    case 'action':
      return step.targets.flatMap((t) => [
        ...t.exclusive.filter((g) => g.direction === 'do').map(proof),
        line(step, t.host, t.does),
      ]);
    case 'gate':
      return step.targets.map((t) =>
        line(step, t.host, `wait until ${step.probe}: ${conditionInWords(t.until)}${failing(t.failIf)}`),
      );
    case 'record':
      return step.targets.map((t) => line(step, t.host, `write down ${step.probe}`));
    case 'approval':
      return [
        line(
          step,
          undefined,
          `get ${step.approve.count} to approve${step.approve.message ? `: ${step.approve.message}` : ''}`,
        ),
      ];
    case 'manual':
      return [line(step, undefined, step.do)];
    case 'pointOfNoReturn':
      return [
        `  ===== POINT OF NO RETURN ${step.id}: ${step.statement}`,
        line(step, undefined, `look again at ${step.guards.join(', ')}`),
      ];
  }
}

function wayBack(step: LeafStep): string[] {
  if (step.kind === 'gate' && step.only) return forward(step);
  if (step.kind === 'manual' && step.changes === false) return [];
  if (step.kind === 'manual') return [line(step, undefined, step.undo ?? 'STOP: no way back is known here')];
  if (step.kind !== 'action' || step.effect === 'read') return [];
  return step.targets.flatMap((t) => [
    ...t.exclusive.filter((g) => g.direction === 'undo').map(proof),
    line(step, t.host, t.undoes ?? 'STOP: cannot be taken back'),
    ...typed(step.byHand, t.with),
  ]);
}

/** What the step will have kept is not known before it was done: it is named, to be looked up in its receipt. */
function typed(template: string | undefined, input: JsonObject): string[] {
  const kept = [...(template ?? '').matchAll(/\{receipt\.([A-Za-z0-9.]+)\}/g)].map(([, path]) => path ?? '');
  const command = template && commandByHand(template, input, named(kept));
  return command ? [`         ${command}`] : [];
}

/** `own.kept` as `{ own: { kept: 'OWN.KEPT' } }`. */
function named(paths: readonly string[]): JsonObject {
  const receipt: JsonObject = {};
  for (const path of paths) {
    const [first = '', second] = path.split('.');
    receipt[first] = second === undefined ? path.toUpperCase() : { [second]: path.toUpperCase() };
  }
  return receipt;
}

function proof({
  resource,
  probe,
  hosts,
  until,
}: {
  resource: string;
  probe: string;
  hosts: string[];
  until: Parameters<typeof conditionInWords>[0];
}): string {
  return `  [ ]    first, on ${hosts.join(', ')}: ${probe} shows ${conditionInWords(until)} (${resource} may be active on one host only)`;
}

function failing(failIf: Parameters<typeof conditionInWords>[0] | undefined): string {
  return failIf ? `; give up if ${conditionInWords(failIf)}` : '';
}
