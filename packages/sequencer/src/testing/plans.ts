import type {
  ActionStep,
  ApprovalRule,
  ApprovalStep,
  Condition,
  DowntimeClock,
  ExclusiveGuard,
  GateStep,
  GroupStep,
  JsonObject,
  ManualStep,
  Plan,
  PlanStep,
  PointOfNoReturnStep,
  RecordStep,
} from '@signalbox/protocol';

// Short ways to write a plan in a test. What is not said is the least surprising: reversible actions without retries,
// gates that ask for `ok: true` for no time and hold when their time is over.

interface Common {
  only?: 'undo';
  skip?: string;
}

type ActionOptions = Common &
  Partial<Pick<ActionStep, 'effect' | 'reversible' | 'retry' | 'timeoutMs'>> & {
    with?: JsonObject;
    exclusive?: ExclusiveGuard[];
  };

export function action(id: string, hosts: string | string[], options: ActionOptions = {}): ActionStep {
  const { with: input = {}, exclusive = [], ...rest } = options;
  return {
    ...place(id),
    kind: 'action',
    action: 'test.act',
    version: 1,
    effect: 'reversible',
    reversible: true,
    timeoutMs: 60_000,
    retry: { attempts: 1, backoffMs: 1_000, retryOn: [] },
    targets: list(hosts).map((host) => ({
      host,
      with: input,
      does: `do ${id}`,
      undoes: `undo ${id}`,
      touches: [],
      exclusive,
    })),
    ...rest,
  };
}

type GateOptions = Common &
  Partial<Pick<GateStep, 'forMs' | 'everyMs' | 'timeoutMs' | 'onTimeout' | 'tolerateMs' | 'once' | 'validWhile'>> & {
    until?: Condition;
    failIf?: Condition;
    with?: JsonObject;
    /** Makes it a fence. */
    holdUntil?: string;
    onBreak?: 'hold' | 'rollback';
  };

export function gate(id: string, hosts: string | string[], options: GateOptions = {}): GateStep {
  const { until = { ok: { equals: true } }, failIf, with: input = {}, holdUntil, onBreak = 'hold', ...rest } = options;
  return {
    ...place(id),
    kind: 'gate',
    probe: 'test.look',
    targets: list(hosts).map((host) => ({ host, with: input, until, ...(failIf ? { failIf } : {}) })),
    forMs: 0,
    everyMs: 1_000,
    timeoutMs: 600_000,
    onTimeout: 'hold',
    tolerateMs: 0,
    once: false,
    validWhile: [],
    ...(holdUntil === undefined ? {} : { fence: { until: holdUntil, onBreak } }),
    ...rest,
  };
}

export function record(id: string, hosts: string | string[], options: Common = {}): RecordStep {
  const targets = list(hosts).map((host) => ({ host, with: {} }));
  return { ...place(id), kind: 'record', probe: 'test.look', targets, timeoutMs: 30_000, ...options };
}

export function approval(id: string, rule: Partial<ApprovalRule> = {}, options: Common = {}): ApprovalStep {
  return { ...place(id), kind: 'approval', approve: { count: 1, notSubmitter: false, ...rule }, ...options };
}

export function manual(id: string, options: Common & { undo?: string; changes?: false } = {}): ManualStep {
  return { ...place(id), kind: 'manual', do: `please ${id}`, ...options };
}

export function point(
  id: string,
  guards: string[] = [],
  options: { approve?: Partial<ApprovalRule> } = {},
): PointOfNoReturnStep {
  const approve = options.approve && { count: 1, notSubmitter: false, ...options.approve };
  return { ...place(id), kind: 'pointOfNoReturn', statement: id, guards, ...(approve ? { approve } : {}) };
}

type GroupOptions = Common & Partial<Pick<GroupStep, 'limit' | 'timing' | 'forEach'>>;

export function serial(id: string, children: PlanStep[], options: GroupOptions = {}): GroupStep {
  return { ...place(id), kind: 'group', mode: 'serial', children, ...options };
}

export function parallel(id: string, children: PlanStep[], options: GroupOptions = {}): GroupStep {
  return { ...place(id), kind: 'group', mode: 'parallel', children, ...options };
}

/** `forEach`: one instance an item, with ids such as `moved[a]` and, inside, `moved[a]/still`. */
export function forEach(
  id: string,
  items: string[],
  { make, limit }: { make: (instance: string) => PlanStep[]; limit?: number },
): GroupStep {
  const children = items.map((item) => {
    const instance = `${id}[${item}]`;
    const [first, ...more] = make(instance);
    return first && more.length === 0 ? first : serial(instance, first ? [first, ...more] : []);
  });
  const mode = limit === undefined ? serial : parallel;
  return mode(id, children, { forEach: true, ...(limit === undefined ? {} : { limit }) });
}

/** `batch`: shares of the hosts, one after the other; `make` gives the steps for one share. */
export function batches(
  id: string,
  shares: string[][],
  { make, maxFailures = 0 }: { make: (hosts: string[]) => PlanStep[]; maxFailures?: number },
): GroupStep {
  const children = shares.map((hosts, i) => serial(`${id}#${i + 1}`, make(hosts)));
  return { ...place(id), kind: 'group', mode: 'batches', maxFailures, children };
}

export function plan(
  steps: PlanStep[],
  options: {
    onFailure?: Plan['onFailure'];
    downtime?: DowntimeClock[];
    roles?: Plan['roles'];
    window?: Plan['window'];
  } = {},
): Plan {
  return {
    signalboxPlan: 1,
    mesh: 'test',
    runbook: { name: 'book', summary: '', sha256: '' },
    madeAtMs: 0,
    madeBy: 'ayse',
    params: {},
    hosts: [...new Set(steps.flatMap(hostsIn))].map((name) => ({
      name,
      labels: {},
      journal: `j-${name}`,
      machine: `m-${name}`,
      key: `k-${name}`,
    })),
    roles: {},
    onFailure: 'rollback',
    downtime: [],
    observed: [],
    findings: { errors: 0, warnings: 0 },
    steps,
    ...options,
  };
}

function hostsIn(node: PlanStep): string[] {
  if (node.kind === 'group') return node.children.flatMap(hostsIn);
  return 'targets' in node ? node.targets.map((target) => target.host) : [];
}

function place(id: string) {
  return { id, number: 1, line: 1 };
}

function list(hosts: string | string[]): string[] {
  return typeof hosts === 'string' ? [hosts] : hosts;
}
