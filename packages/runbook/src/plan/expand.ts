import { isJsonObject, type Json } from '@signalbox/protocol';
import type { Report } from '../diagnostic.ts';
import type { Step } from '../model.ts';
import { entriesOf, get, isFlagged, keyAt, type Node, textAt, toJson, valueSpan } from '../node.ts';
import { isGroup, roleName, worksOnHosts } from '../step-queries.ts';
import { type BindContext, bind } from './bind.ts';
import type { Around, Draft, DraftGroup } from './draft.ts';
import { opt, text, timingOf, whole } from './fields.ts';
import { readValues } from './params.ts';
import type { Binding } from './roles.ts';
import { decideWhen } from './when.ts';

export interface ExpandContext {
  roles: ReadonlyMap<string, Binding>;
  report: Report;
}

/** Unrolls steps: a forEach into its items, a batch into shares of the hosts, an inclusion into its steps. */
export function expandAll(steps: readonly Step[], around: Around, context: ExpandContext): Draft[] {
  return steps.map((step) => expandStep(step, around, context));
}

function binding(step: Step, around: Around, { report }: ExpandContext): BindContext {
  return { scope: step.scope, around, report };
}

function expandStep(step: Step, around: Around, context: ExpandContext): Draft {
  const here = decideWhen(step, around, context.report);
  const timing = timingOf(step.node, binding(step, here, context), isGroup(step.kind));
  const repeated = step.node.entries.has('forEach') || step.node.entries.has('batch');
  const draft = step.node.entries.has('forEach') ? expandItems(step, here, context) : expandShares(step, here, context);
  if (!timing) return draft;
  if (repeated || isGroup(step.kind)) return draft.kind === 'group' ? { ...draft, timing } : draft;
  // A leaf has no room for a deadline: a group of its own carries it.
  return { ...groupOf(step, here, [draft]), id: `${idOf(step, here)}[timing]`, timing };
}

function idOf(step: Step, around: Around): string {
  return `${step.path}${around.suffix}`;
}

function groupOf(step: Step, around: Around, children: Draft[]): DraftGroup {
  const checklist = isFlagged(get(step.node, 'checklist')) ? { checklist: true } : {};
  return { kind: 'group', id: idOf(step, around), step, around, mode: 'serial', ...checklist, children };
}

function expandItems(step: Step, around: Around, context: ExpandContext): Draft {
  const items = itemsOfLoop(step, around, context);
  const children = items.map((item) => {
    const inside = { ...around, item, suffix: `${around.suffix}[${item.key}]` };
    return expandShares(step, decideWhen(step, inside, context.report), context);
  });
  return { ...groupOf(step, around, children), ...parallelism(step), forEach: true };
}

function parallelism(step: Step): Pick<DraftGroup, 'mode' | 'limit'> {
  const said = get(step.node, 'parallel');
  const value = said && toJson(said);
  if (value === true) return { mode: 'parallel' };
  return typeof value === 'number' && value > 1 ? { mode: 'parallel', limit: value } : { mode: 'serial' };
}

function itemsOfLoop(step: Step, around: Around, context: ExpandContext): { key: string; value: Json }[] {
  const forEach = get(step.node, 'forEach');
  const over = get(forEach, 'in');
  if (forEach?.kind !== 'map' || !over) return [];
  const list = toJson(bind(over, binding(step, around, context)));
  const field = textAt(forEach, 'key');
  const seen = new Set<string>();
  return (Array.isArray(list) ? list : []).map((value, index) => {
    const named = field === undefined ? value : isJsonObject(value) ? value[field] : undefined;
    const key = named === undefined || typeof named === 'object' ? '' : String(named);
    if (key === '' || seen.has(key)) {
      const what = key === '' ? `Item ${index + 1} has no \`${field ?? 'key'}\`` : `Two items have the key \`${key}\``;
      context.report('SB237', valueSpan(forEach, 'in'), { message: `${what}.` });
    }
    seen.add(key);
    return { key: key === '' ? String(index + 1) : key, value };
  });
}

function expandShares(step: Step, around: Around, context: ExpandContext): Draft {
  const batch = get(step.node, 'batch');
  if (batch?.kind !== 'map') return expandCore(step, around, context);
  const role = roleName(step) ?? '';
  const hosts = hostsOf(role, around, context);
  const bound = binding(step, around, context);
  const sizes = (get(batch, 'sizes')?.kind === 'list' ? itemsIn(get(batch, 'sizes')) : []).map((node) =>
    shareSize(text(node, bound) ?? '', hosts.length, { report: context.report, at: node.at }),
  );
  const children = shares(hosts, sizes).map((share, index) => {
    const suffix = `${around.suffix}[batch=${index + 1}]`;
    return expandCore(step, { ...around, suffix, share: { role, hosts: share } }, context);
  });
  const maxFailures = whole(get(batch, 'maxFailures'), bound) ?? 0;
  return { ...groupOf(step, around, children), mode: 'batches', maxFailures };
}

function itemsIn(node: Node | undefined): Node[] {
  return node?.kind === 'list' ? node.items : [];
}

function shareSize(said: string, of: number, { report, at }: { report: Report; at: Node['at'] }): number {
  const percent = /^(\d+)%$/.exec(said)?.[1];
  const size = percent === undefined ? Number(said) : Math.ceil((of * Number(percent)) / 100);
  if (Number.isInteger(size) && size >= 1) return size;
  if (of > 0) report('SB205', at, { message: `Here is \`${said}\`; expected a number of hosts or a percentage.` });
  return Math.max(1, of);
}

/** The last size repeats: `[1, 10]` over 25 hosts is 1, 10, 10, 4. */
export function shares(hosts: readonly string[], sizes: readonly number[]): string[][] {
  const out: string[][] = [];
  for (let from = 0, i = 0; from < hosts.length; i += 1) {
    const size = sizes[Math.min(i, sizes.length - 1)] ?? hosts.length;
    out.push(hosts.slice(from, from + size));
    from += size;
  }
  return out;
}

function hostsOf(role: string, { share }: Around, { roles }: ExpandContext): readonly string[] {
  if (share?.role === role) return share.hosts;
  return roles.get(role)?.hosts.map((h) => h.name) ?? [];
}

function expandCore(step: Step, around: Around, context: ExpandContext): Draft {
  if (isGroup(step.kind)) {
    const inside = step.kind === 'include' ? withArguments(step, around, context) : around;
    const group = groupOf(step, around, expandAll(step.children, inside, context));
    return step.node.entries.has('forEach') ? group : { ...group, ...parallelism(step) };
  }
  const leaf = { kind: 'leaf', id: idOf(step, around), step, around } as const;
  if (!worksOnHosts(step.kind)) return { ...leaf, hosts: [] };
  const role = roleName(step) ?? '';
  const hosts = hostsOf(role, around, context);
  const skip = around.skip ?? (hosts.length === 0 ? `no host of the role ${role} is there` : undefined);
  return { ...leaf, hosts, around: { ...around, ...opt('skip', skip) } };
}

function withArguments(step: Step, around: Around, context: ExpandContext): Around {
  const scope = step.children[0]?.scope;
  if (!scope) return around;
  const bound = get(step.node, 'with');
  const given = bound && bind(bound, binding(step, around, context));
  const at = keyAt(step.node, 'include');
  const declared = [...scope.params].map(([name, param]) => [name, { ...param, at }] as const);
  const values = readValues(new Map(declared), new Map(entriesOf(given)), context.report);
  return { ...around, params: new Map([...around.params, [scope, values]]) };
}
