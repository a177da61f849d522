import { DEFAULTS, type GateTarget, type LeafStep } from '@signalbox/protocol';
import { checkWindow } from '../check/gates.ts';
import { get, isFlagged, textAt } from '../node.ts';
import { gateBody, probeOf } from '../step-queries.ts';
import { readCondition, readWith } from '../values.ts';
import { bind } from './bind.ts';
import { durationMs, opt } from './fields.ts';
import { boundOn, named, needs, type One, withOf } from './one.ts';
import { fenceEnd, gatesNamed } from './pin.ts';

/** A gate with what it asks each host, and the instances that its fence and its freshness mean. */
export function gateLeaf(one: One): LeafStep[] {
  const { leaf, base, hosts, bound, context } = one;
  const body = gateBody(leaf.step);
  const probe = context.lookup.probeOf(leaf.step);
  if (!probe) return [];
  const { report } = context;
  const targets = hosts.map((host): GateTarget => {
    needs(host, 'probe', { name: probe.name, key: 'gate', one });
    const condition = (key: string) => {
      const node = get(body, key);
      return node && readCondition(bind(node, boundOn(host, one)), probe, { report, references: false });
    };
    const input = readWith(withOf(body, one, host), probe, { report, references: false });
    return { host: host.name, with: input, until: condition('until') ?? {}, ...opt('failIf', condition('failIf')) };
  });
  const ms = (key: string) => durationMs(get(body, key), bound);
  const resolved = bind({ ...body, entries: new Map([...body.entries].filter(([key]) => TIMES.includes(key))) }, bound);
  const until = get(body, 'until');
  if (resolved.kind === 'map' && until) {
    resolved.entries.set('until', { key: until.at, value: until });
    checkWindow(leaf.step, { body: resolved, probe, report });
  }
  return [
    {
      ...base,
      kind: 'gate',
      probe: probe.name,
      targets,
      forMs: ms('for') ?? 0,
      everyMs: ms('every') ?? Math.max(DEFAULTS.gateEveryMs, probe.refreshesMs ?? 0),
      timeoutMs: ms('timeout') ?? DEFAULTS.gateTimeoutMs,
      onTimeout: textAt(body, 'onTimeout') === 'rollback' ? 'rollback' : 'hold',
      tolerateMs: ms('tolerate') ?? 0,
      once: isFlagged(get(body, 'once')),
      ...fence(one),
      validWhile: named(get(leaf.step.node, 'validWhile')).flatMap((id) => gatesNamed(id, leaf, context.instances)),
    },
  ];
}

const TIMES = ['for', 'every', 'timeout', 'once'];

function fence({ leaf, context }: One) {
  const said = textAt(leaf.step.node, 'holdUntil');
  const until = said === undefined ? undefined : fenceEnd(said, leaf, context.instances);
  const onBreak = textAt(leaf.step.node, 'onBreak') === 'rollback' ? 'rollback' : 'hold';
  return until === undefined ? {} : { fence: { until, onBreak } as const };
}

/** A sample to be kept. */
export function recordLeaf(one: One): LeafStep[] {
  const { leaf, base, hosts, bound, context } = one;
  const probe = context.lookup.probeOf(leaf.step);
  const body = probeOf(leaf.step)?.body;
  if (!probe || !body) return [];
  const targets = hosts.map((host) => {
    needs(host, 'probe', { name: probe.name, key: 'record', one });
    const input = readWith(withOf(body, one, host), probe, { report: context.report, references: false });
    return { host: host.name, with: input };
  });
  const timeoutMs = durationMs(get(leaf.step.node, 'timeout'), bound) ?? DEFAULTS.recordTimeoutMs;
  return [{ ...base, kind: 'record', probe: probe.name, targets, timeoutMs }];
}
