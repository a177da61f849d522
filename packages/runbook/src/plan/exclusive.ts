import type { ActionSpec, Condition, ExclusiveGuard, JsonObject } from '@signalbox/protocol';
import { fillTemplate } from '../lookup.ts';
import type { Exclusive } from '../model.ts';
import { shown } from './fields.ts';
import type { HostForPlan } from './input.ts';
import { hasLabels } from './roles.ts';

/**
 * Stopped, without a process, and kept from coming back: a unit that is only stopped is started again by anybody. A unit
 * file in /etc can be masked for this boot only, so both ways count.
 */
const PROVEN_STOPPED: Condition = {
  activeState: { in: ['inactive', 'failed'] },
  processes: { equals: 0 },
  unitFileState: { in: ['masked', 'masked-runtime'] },
};
/** And nothing signs there, whatever systemd says: a process started by hand has no unit. */
const PROVEN_STILL: Condition = { height: { still: true } };

interface Target {
  host: string;
  with: JsonObject;
  reversible: boolean;
}

/**
 * What must be proven on other hosts before a step brings up an exclusive resource on this one [I10]: forward when the
 * action starts its unit, on the way back when the action stops it, because undoing that starts it.
 */
export function exclusiveGuards(
  action: ActionSpec,
  { host, with: input, reversible }: Target,
  { resources, hosts }: { resources: readonly Exclusive[]; hosts: readonly HostForPlan[] },
): ExclusiveGuard[] {
  const unit = (template: string | undefined) => template && fillTemplate(template, (field) => shown(input[field]));
  return resources.flatMap((resource) => {
    const others = hosts.filter((h) => h.name !== host && hasLabels(h, resource.among)).map((h) => h.name);
    if (others.length === 0) return [];
    const forward = unit(action.starts) === resource.unit ? guardsOf(resource, 'do', others) : [];
    const back = reversible && unit(action.stops) === resource.unit ? guardsOf(resource, 'undo', others) : [];
    return [...forward, ...back];
  });
}

function guardsOf({ name, unit, still }: Exclusive, direction: 'do' | 'undo', hosts: string[]): ExclusiveGuard[] {
  const of = (probe: string, until: Condition): ExclusiveGuard => ({
    resource: name,
    direction,
    probe,
    with: probe === 'systemd.unit' ? { unit } : {},
    hosts,
    until,
  });
  const stopped = of('systemd.unit', PROVEN_STOPPED);
  return still ? [stopped, of(still.probe, PROVEN_STILL)] : [stopped];
}
