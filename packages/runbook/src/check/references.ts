import type { Span } from '../diagnostic.ts';
import type { Step } from '../model.ts';
import { entriesOf, get, type Node, type ScalarNode } from '../node.ts';
import { isWhole, type Part, parseRef, partsOf, type Ref } from '../references.ts';
import { forEachOf, probeOf, roleName } from '../step-queries.ts';
import { hintFor } from '../suggest.ts';
import { holdsSecrets, TYPES } from '../types.ts';
import type { CheckContext } from './context.ts';
import { itemFields } from './repetition.ts';
import { checkStepReference } from './step-references.ts';

/** Where a piece of text stands: that decides what may be referred to in it. */
interface Place {
  step: Step;
  /** `run`: a value that is needed when the step runs. `plan`: one that must be known when the plan is made. */
  when: 'run' | 'plan';
  /** Whether a secret may stand here. */
  secret: boolean;
}

const PLAN_KEYS = ['when', 'forEach', 'batch', 'notBefore', 'decideBy', 'timeout', 'retry', 'approve', 'manual'];
const GATE_PLAN_KEYS = ['for', 'every', 'timeout', 'tolerate'];

/** Every `${...}` in a value refers to one thing that is there. */
export function checkReferences(context: CheckContext): void {
  for (const step of context.runbook.byPath.values()) {
    const plan: Place = { step, when: 'plan', secret: false };
    for (const key of PLAN_KEYS) visit(get(step.node, key), plan, context);
    checkWhen(step, context);
    visit(get(step.node, 'pointOfNoReturn'), plan, context);
    const asked = probeOf(step);
    if (asked) {
      const secrets = context.lookup.probeOf(step)?.secrets ?? [];
      visitWith(step, get(asked.body, 'with'), { secrets, context });
      for (const key of ['until', 'failIf']) visit(get(asked.body, key), { ...plan, when: 'run' }, context);
      for (const key of GATE_PLAN_KEYS) visit(get(asked.body, key), plan, context);
    } else if (step.kind === 'do') {
      visitWith(step, get(step.node, 'with'), { secrets: context.lookup.actionOf(step)?.secrets ?? [], context });
    } else if (step.kind === 'include') {
      visit(get(step.node, 'with'), { ...plan, secret: true }, context);
    }
  }
  const [first] = context.runbook.steps;
  const ofRun = [...context.runbook.downtime.map(({ budget }) => budget), get(context.runbook.spec, 'window')];
  for (const node of ofRun) if (first) visit(node, { step: first, when: 'plan', secret: false }, context);
}

/** The keys of a `when` are references without their braces; host and item are known to it. */
function checkWhen(step: Step, context: CheckContext): void {
  for (const [name, { key }] of entriesOf(get(step.node, 'when'))) {
    const ref = parseRef(name);
    const use: Use = { place: { step, when: 'run', secret: false }, whole: true, context };
    if (!ref || ref.root === 'steps' || ref.root === 'run') {
      context.report('SB206', key, { message: `\`${name}\` is nothing that a plan can look at.` });
    } else checkRef({ ref, at: key, source: name }, use);
  }
}

function visitWith(
  step: Step,
  node: Node | undefined,
  { secrets, context }: { secrets: readonly string[]; context: CheckContext },
): void {
  for (const [name, { value }] of entriesOf(node)) {
    visit(value, { step, when: 'run', secret: secrets.includes(name) }, context);
  }
}

function visit(node: Node | undefined, place: Place, context: CheckContext): void {
  if (node?.kind === 'map') for (const { value } of node.entries.values()) visit(value, place, context);
  else if (node?.kind === 'list') for (const item of node.items) visit(item, place, context);
  else if (node?.kind === 'scalar' && node.text.includes('${')) visitText(node, place, context);
}

function visitText(node: ScalarNode, place: Place, context: CheckContext): void {
  const parts = partsOf(node, context.report);
  for (const part of parts) if ('ref' in part) checkRef(part, { place, whole: isWhole(parts), context });
}

interface Use {
  place: Place;
  whole: boolean;
  context: CheckContext;
}

function checkRef({ ref, at, source }: Extract<Part, { ref: Ref }>, use: Use): void {
  const { place, context } = use;
  switch (ref.root) {
    case 'params':
      checkParam(ref.path, at, use);
      return;
    case 'item':
      checkItem(ref.path, at, use);
      return;
    case 'host':
      if (place.when === 'plan') {
        context.report('SB206', at, { message: `\`${source}\` differs from host to host; this value is one for all.` });
      } else if (roleName(place.step) === undefined) {
        context.report('SB207', at, { message: `\`${source}\`: this step has no host.` });
      }
      return;
    case 'steps':
      if (place.when === 'plan') {
        context.report('SB206', at, {
          message: `\`${source}\` is known only while the run goes on; this must be known before.`,
        });
      } else checkStepReference(ref, at, { step: place.step, context });
      return;
    case 'run':
      if (place.when === 'plan') {
        context.report('SB206', at, {
          message: '`${run.id}` is known only when the run starts; this must be known before.',
        });
      }
  }
}

function checkParam([name, ...deeper]: [string, ...string[]], at: Span, { place, whole, context }: Use): void {
  const { params } = place.step.scope;
  const param = params.get(name);
  if (!param) {
    context.report('SB207', at, { message: `There is no parameter \`${name}\`.`, hint: hintFor(name, params.keys()) });
    return;
  }
  if (deeper.length > 0) {
    const properties = TYPES[param.type].properties;
    const known = typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
    if (deeper.length > 1 || !known.includes(deeper[0] ?? '')) {
      const message = `\`${name}\` is a ${param.type} and has no \`${deeper.join('.')}\`.`;
      context.report('SB207', at, { message, hint: hintFor(deeper.join('.'), known) });
    }
  }
  if (!holdsSecrets(param.type)) return;
  if (!whole) context.report('SB210', at, { message: `\`${name}\` is a secret inside other text.` });
  else if (!place.secret)
    context.report('SB210', at, { message: `\`${name}\` is a secret, and this field takes none.` });
}

function checkItem(path: readonly string[], at: Span, { place, context }: Use): void {
  const loop = forEachOf(place.step);
  if (!loop) {
    context.report('SB207', at, { message: 'There is no forEach around this step, so there is no item.' });
    return;
  }
  const fields = itemFields(loop);
  const [first] = path;
  if (!fields || (first !== undefined && fields.has(first))) return;
  const message =
    first === undefined ? 'An item is not one value: name a field of it.' : `An item has no \`${first}\`.`;
  context.report('SB207', at, { message, hint: hintFor(first ?? '', fields) });
}
