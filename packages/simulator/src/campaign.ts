import { TROUBLES } from './day.ts';
import { simulate } from './simulation.ts';

export interface Campaign {
  readonly runs: number;
  /** Where the runs came to: `completed`, `rolled-back`, `held` and so on. */
  readonly endings: ReadonlyMap<string, number>;
  /** On how many days there was each kind of trouble. */
  readonly troubles: ReadonlyMap<string, number>;
  readonly broken: readonly { readonly seed: number; readonly what: string }[];
  readonly simulatedMs: number;
  readonly tookMs: number;
  /** Of one core: what else the machine does is not in it. */
  readonly cpuMs: number;
}

/** Many days, one after the other. */
export async function campaign({ from, seeds }: { from: number; seeds: number }): Promise<Campaign> {
  const endings = new Map<string, number>();
  const troubles = new Map<string, number>(TROUBLES.map((what) => [what, 0]));
  const broken: { seed: number; what: string }[] = [];
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  let simulatedMs = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await simulate({ seed });
    endings.set(result.status, (endings.get(result.status) ?? 0) + 1);
    for (const what of result.troubles) troubles.set(what, (troubles.get(what) ?? 0) + 1);
    simulatedMs += result.simulatedMs;
    if (result.broken) broken.push({ seed, what: result.broken.message });
  }
  const { user, system } = process.cpuUsage(startedCpu);
  const tookMs = performance.now() - startedMs;
  return { runs: seeds, endings, troubles, broken, simulatedMs, tookMs, cpuMs: (user + system) / 1_000 };
}
