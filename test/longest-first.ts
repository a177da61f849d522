import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** How long what is long takes among the others, in seconds; two cores. The first of the lab brings it up. What is not named here takes USUAL or less. */
const SECONDS: Readonly<Record<string, number>> = {
  'test/chaos/campaign.chaos': 250,
  'test/e2e/r3mes/backend': 350,
  'test/e2e/r3mes/platform': 250,
  'test/e2e/demo': 140,
  'test/e2e/operators': 135,
  'test/e2e/ten-minutes': 125,
  'test/e2e/r3mes/database': 120,
  'test/e2e/r3mes/miner-upgrade': 120,
  'test/e2e/redteam/server-drops': 110,
  'test/e2e/r3mes/cutover': 95,
  'test/e2e/r3mes/node': 85,
  'test/e2e/r3mes/node-home': 75,
  'test/e2e/r3mes/environment': 75,
  'test/e2e/crash': 65,
  'test/e2e/coordinators': 50,
  'test/e2e/r3mes/secrets': 45,
  'test/e2e/trust/rotate': 45,
  'test/e2e/trust/mesh': 40,
  'test/lab/hosts/validator-move.lab': 260,
  'test/lab/hosts/packages.lab': 115,
  'test/lab/hosts/packages-in-the-middle.lab': 105,
  'test/lab/hosts/node-upgrade.lab': 90,
  'test/lab/hosts/in-the-middle.lab': 80,
  'test/lab/hosts/rehearse.lab': 65,
  'test/fast-data/mongodb-cutover-partitioned': 240,
  'test/fast-data/mongodb-way-back': 200,
  'test/fast-data/kafka-kills': 180,
  'test/fast-data/mongodb-cutover': 170,
  'test/fast-data/kafka-cutover': 150,
  'test/fast-data/mongodb-mongosync': 100,
  'test/fast-data/services-move': 65,
  'test/fast-data/platform-cutover': 35,
  'packages/simulator/src/plants.days': 70,
};
const USUAL = 20;

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
