import { collector, type Diagnostic, inOrder } from './diagnostic.ts';
import { type Loader, loadDocument } from './load.ts';
import type { Clock, Exclusive, Role, Runbook, Step } from './model.ts';
import { entriesOf, get, keyAt, type MapNode, type Node, textAt, toJson, valueSpan } from './node.ts';
import { readParams } from './params.ts';
import { readSteps } from './steps.ts';

export interface ParseOptions {
  /** The name that findings give to the file. */
  file: string;
  /** Gives the text of an included file. `path` is as written, `from` the file that includes it. */
  include?: (path: string, from: string) => string | undefined;
}

export interface Parsed {
  /** Present as soon as the text is a mapping, also when it has errors: so that all checks can speak at once. */
  runbook?: Runbook;
  diagnostics: Diagnostic[];
}

/** Reads the text of a runbook. Pure: what is included arrives through `include`. Never throws, whatever the text is. */
export function parseRunbook(text: string, { file, include = () => undefined }: ParseOptions): Parsed {
  const { report, diagnostics } = collector();
  const sources = new Map([[file, text]]);
  const loader: Loader = { report, sources, include };
  const root = loadDocument(text, { file, kind: 'Runbook' }, report);
  if (root?.kind !== 'map') return { diagnostics: inOrder(diagnostics) };
  const runbook = build(root, { file, loader, diagnostics });
  return { runbook, diagnostics: inOrder(diagnostics) };
}

interface Building {
  file: string;
  loader: Loader;
  diagnostics: Diagnostic[];
}

function build(root: MapNode, { file, loader, diagnostics }: Building): Runbook {
  const found = get(root, 'spec');
  const spec: MapNode = found?.kind === 'map' ? found : { kind: 'map', at: root.at, entries: new Map() };
  const gates = new Map(entriesOf(get(spec, 'gates')).flatMap(([name, { value }]) => only(name, value)));
  const scope = { file, prefix: '', params: readParams(get(spec, 'params'), loader.report), gates };
  const byPath = new Map<string, Step>();
  const steps = readSteps(get(spec, 'steps'), { loader, scope, parent: undefined, byPath, open: [file] });
  return {
    file,
    sources: loader.sources,
    name: textAt(root, 'metadata', 'name') ?? 'runbook',
    summary: textAt(root, 'metadata', 'summary') ?? '',
    spec,
    scope,
    roles: new Map(entriesOf(get(spec, 'hosts')).flatMap(([name, { value }]) => role(name, value, spec))),
    exclusive: entriesOf(get(spec, 'exclusive')).flatMap(([name, { value }]) => exclusive(name, value)),
    downtime: entriesOf(get(spec, 'downtime')).flatMap(([name, { value }]) => clock(name, value)),
    onFailure: textAt(spec, 'onFailure') === 'hold' ? 'hold' : 'rollback',
    whenBusy: textAt(spec, 'whenBusy') === 'wait' ? 'wait' : 'refuse',
    steps,
    byPath,
    diagnostics,
  };
}

function only(name: string, node: Node): [string, MapNode][] {
  return node.kind === 'map' ? [[name, node]] : [];
}

function labels(node: Node | undefined): Record<string, string> {
  return Object.fromEntries(entriesOf(node).flatMap(([key]) => [[key, textAt(node, key) ?? '']]));
}

function role(name: string, node: Node, spec: MapNode): [string, Role][] {
  const roles = get(spec, 'hosts');
  if (node.kind !== 'map' || roles?.kind !== 'map') return [];
  const count = get(node, 'count');
  const whole = (n: Node | undefined) => (n && typeof toJson(n) === 'number' ? Number(toJson(n)) : undefined);
  // A count that is no number is reported already; taken as 1, it causes no further findings.
  const exact = count?.kind === 'scalar' ? (whole(count) ?? 1) : undefined;
  const min = exact ?? whole(get(count, 'min')) ?? 1;
  const max = exact ?? whole(get(count, 'max')) ?? Number.POSITIVE_INFINITY;
  const offline = textAt(node, 'offline') === 'skip' ? 'skip' : 'refuse';
  return [[name, { name, at: keyAt(roles, name), match: labels(get(node, 'match')), min, max, offline }]];
}

function exclusive(name: string, node: Node): Exclusive[] {
  const unit = textAt(node, 'unit');
  if (node.kind !== 'map' || unit === undefined) return [];
  const probe = textAt(node, 'still');
  const still = probe === undefined ? {} : { still: { probe, at: valueSpan(node, 'still') } };
  return [{ name, at: valueSpan(node, 'unit'), unit, among: labels(get(node, 'among')), ...still }];
}

function clock(name: string, node: Node): Clock[] {
  const [from, to] = [textAt(node, 'from'), textAt(node, 'to')];
  if (node.kind !== 'map' || from === undefined || to === undefined) return [];
  const budget = get(node, 'budget');
  const said = textAt(node, 'onBudget');
  return [
    {
      name,
      from: { id: from, at: valueSpan(node, 'from') },
      to: { id: to, at: valueSpan(node, 'to') },
      onBudget: said === 'hold' || said === 'rollback' ? said : 'warn',
      ...(budget ? { budget } : {}),
    },
  ];
}
