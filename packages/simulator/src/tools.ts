import { defineAction } from '@signalbox/actions';
import { EVERYTHING, type Toolbox } from '@signalbox/agent';
import { defineProbe } from '@signalbox/probes';
import { type Applied, type Direction, type Failure, type HostContext, SignalboxError } from '@signalbox/protocol';
import { z } from 'zod';
import { EXIT, type Host } from './host.ts';

export const ACTION = 'test.act';
export const LOOK = 'test.look';
export const ACTIVE = 'test.active';

/** What every action reads, and lets slip into its receipt and its failures [I9]. */
export const SECRET = 'correct-horse-battery';

export const ActInput = z.object({ id: z.string() });
const LookInput = z.object({ what: z.string().optional() });
const ActiveInput = z.object({ resource: z.string() });

/** What the tools of a simulated host may know and how unlucky they are today. */
export interface Nature {
  /** What `test.look` measures now. */
  truth(host: Host, what: string): boolean;
  isActive(host: Host, resource: string): boolean;
  /** A probe, or a check, that fails although nothing is wrong. */
  probeBreaks(): boolean;
}

export const FAILED: Failure = {
  code: 'SB-SIM-FAILED',
  class: 'terminal',
  message: 'the process ended with 1',
  next: 'Look at the host.',
};
const LOST: Failure = {
  code: 'SB-SIM-LOST',
  class: 'unknown',
  message: 'the process ended, and what it did is not known',
  next: 'Look at the host.',
};

/** The one action and the two probes that simulated agents know. */
export function toolbox(host: Host, nature: Nature): Toolbox {
  const perform = async (context: HostContext, direction: Direction) => {
    const secret = await context.secret({ $secret: 'env:TOKEN' });
    const { exitCode } = await context.exec(['act', direction]);
    if (exitCode === EXIT.done) return { said: `token ${secret}` };
    const failure = exitCode === EXIT.lost ? LOST : FAILED;
    throw new SignalboxError({ ...failure, message: `${failure.message}, token ${secret}` });
  };
  const action = defineAction<z.infer<typeof ActInput>>({
    name: ACTION,
    version: 1,
    summary: 'does one thing to a simulated host',
    schema: ActInput,
    effect: 'reversible',
    does: 'do {id}',
    undoes: 'undo {id}',
    touches: [],
    async check(_, { id }) {
      if (nature.probeBreaks()) throw new SignalboxError(FAILED);
      return { before: { was: host.mark(id) }, problems: [] };
    },
    run: (context) => perform(context, 'do'),
    undo: (context) => perform(context, 'undo'),
    async probe(_, { id }, { direction }): Promise<Applied> {
      if (nature.probeBreaks()) return 'cannot-tell';
      if (host.works(id)) return 'in-progress';
      const mark = host.mark(id);
      if (mark === 'partial') return 'partial';
      return (mark === 'applied') === (direction === 'do') ? 'applied' : 'not-applied';
    },
  });
  const look = defineProbe<z.infer<typeof LookInput>>({
    name: LOOK,
    version: 1,
    summary: 'measures one thing on a simulated host',
    schema: LookInput,
    values: {},
    async sample(_, { what = '' }) {
      if (nature.probeBreaks()) throw new SignalboxError(FAILED);
      return { ok: nature.truth(host, what) };
    },
  });
  const active = defineProbe<z.infer<typeof ActiveInput>>({
    name: ACTIVE,
    version: 1,
    summary: 'whether a resource is in use on a simulated host',
    schema: ActiveInput,
    values: {},
    async sample(_, { resource }) {
      if (nature.probeBreaks()) throw new SignalboxError(FAILED);
      return { active: nature.isActive(host, resource) };
    },
  });
  const probes = new Map([look, active].map((probe) => [probe.name, probe]));
  return {
    policy: EVERYTHING,
    actionByName: (name) => (name === ACTION ? action : undefined),
    probeByName: (name) => probes.get(name),
    actions: [`${ACTION}@1`],
    probes: [`${LOOK}@1`, `${ACTIVE}@1`],
  };
}
