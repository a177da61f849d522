import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** How long what takes more than a minute takes by itself, in seconds; two cores. What is not named here takes USUAL or less. */
const SECONDS: Readonly<Record<string, number>> = {
  'test/chaos/campaign.chaos': 290,
  'test/e2e/r3mes/backend': 310,
  'test/e2e/r3mes/platform': 240,
  'test/e2e/demo': 145,
  'test/e2e/r3mes/miner-upgrade': 135,
  'test/e2e/operators': 125,
  'test/e2e/ten-minutes': 115,
  'test/e2e/r3mes/database': 105,
  'test/e2e/r3mes/cutover': 90,
  'test/e2e/redteam/server-drops': 90,
  'test/e2e/r3mes/node-home': 85,
  'test/e2e/crash': 85,
  'test/e2e/r3mes/environment': 70,
  'test/lab/hosts/validator-move.lab': 190,
  'test/lab/hosts/packages.lab': 100,
  'test/lab/hosts/in-the-middle.lab': 70,
  'test/lab/hosts/packages-in-the-middle.lab': 65,
  'packages/simulator/src/plants.days': 70,
};
const USUAL = 25;

function secondsOf({ moduleId }: TestSpecification): number {
  const name = Object.keys(SECONDS).find((path) => moduleId.endsWith(`/${path}.test.ts`));
  return SECONDS[name ?? ''] ?? USUAL;
}

/**
 * So that nothing long is what everybody waits for at the end. Of the lab's files one runs at a time: the next one comes when
 * the other workers have had as much to do with those of e2e, or its worker would wait for the one before.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = (await super.sort(files)).sort((a, b) => secondsOf(b) - secondsOf(a));
    const of = (name: string) => sorted.filter(({ project }) => project.name === name);
    const [lab, e2e] = [of('lab'), of('e2e')];
    const mixed: TestSpecification[] = [];
    const given = { lab: 0, e2e: 0 };
    for (const file of e2e) {
      const others = file.project.config.maxWorkers - 1;
      const next = given.e2e >= given.lab * others ? lab.shift() : undefined;
      if (next) given.lab += secondsOf(next);
      given.e2e += secondsOf(file);
      mixed.push(...(next ? [next] : []), file);
    }
    return [...sorted.filter((file) => !e2e.includes(file) && file.project.name !== 'lab'), ...mixed, ...lab];
  }
}
