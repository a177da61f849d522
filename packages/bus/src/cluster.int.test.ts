import { STREAMS } from '@signalbox/protocol';
import { expect, it } from 'vitest';
import { type Cluster, insist, NAMES, startCluster } from './test-cluster.ts';
import { bytes, text, until } from './test-fixture.ts';

const HOUR_MS = 3_600_000;
const { runs: RUN, commands: CMD, reports: REPORT } = STREAMS;

/** By somebody, and not by the one `before` any more. */
async function untilLed(cluster: Cluster, stream: string, before?: string): Promise<string> {
  let leader: string | undefined;
  await until(async () => {
    leader = await cluster.leaderOf(stream);
    return leader !== undefined && leader !== before;
  });
  return String(leader);
}

/** A coordinator that goes on and on with one run, and a host that does what it is asked and reports it. */
async function working(cluster: Cluster) {
  // Until the servers have chosen who leads them, JetStream does not answer.
  const coordinator = await insist(() => cluster.coordinator());
  await insist(() => coordinator.prepare(['a1']));
  const agent = await insist(() => cluster.agent());
  const asked: string[] = [];
  const seen = { commands: [] as string[], reports: [] as string[], codes: new Set<string>() };
  let times = 0;
  const unanswered = (code: string) => {
    seen.codes.add(code);
    times += 1;
  };
  await agent.commands(async ({ id, ack }) => {
    seen.commands.push(id);
    ack();
    await insist(() => agent.report('run-1', bytes(id)), unanswered);
  });
  await coordinator.reports('run-1', 1, async ({ data, ack }) => {
    seen.reports.push(text(data));
    ack();
  });
  let head = 0;
  /** A decision is in the log before anything follows from it. */
  const step = async () => {
    const id = `c:${asked.length}`;
    asked.push(id);
    const appended = await insist(() => coordinator.append('run-1', bytes(id), head), unanswered);
    if (appended === 'conflict') throw new Error(`${id}: somebody else has written, and there is nobody else`);
    head = appended.sequence;
    await insist(() => coordinator.sendCommand('a1', id, bytes(`do ${id}`), HOUR_MS), unanswered);
  };
  /** Steps follow each other until it is ended, and a few more after that. */
  const meanwhile = async (strike: () => Promise<void>) => {
    let over = false;
    const going = (async () => {
      while (!over) await step();
      for (let i = 0; i < 3; i++) await step();
    })();
    await strike().finally(() => {
      over = true;
    });
    await going;
  };
  return { coordinator, asked, seen, meanwhile, step, unanswered: () => times };
}

/** Said again until it is stored; neither sends a person to mend what is not broken. */
const PASSES = ['SB-BUS-NO-LEADER', 'SB-BUS-TIMEOUT'];

it('[I8] a stream loses its leader, by a change or by a death: nothing is lost, written twice or in another order', async () => {
  const cluster = await startCluster();
  const { coordinator, asked, seen, meanwhile } = await working(cluster);
  for (const stream of [RUN, CMD, REPORT, RUN]) {
    await meanwhile(async () => {
      const before = await untilLed(cluster, stream);
      await cluster.stepDown(stream);
      await untilLed(cluster, stream, before);
    });
  }
  expect(coordinator.stats.reconnects).toBe(0);
  await meanwhile(async () => {
    const before = await untilLed(cluster, RUN);
    await cluster.kill(before);
    await untilLed(cluster, RUN, before);
    await cluster.start(before);
  });
  await until(() => new Set(seen.reports).size === asked.length);
  expect((await insist(() => coordinator.readRun('run-1'))).map(({ data }) => text(data))).toEqual(asked);
  expect([...new Set(seen.commands)].sort()).toEqual(asked.toSorted());
  expect(PASSES).toEqual(expect.arrayContaining([...seen.codes]));
}, 120_000);

it('[I8] one of three servers stores nothing; what was not answered for is in the log once when another one is back', async () => {
  const cluster = await startCluster();
  const { coordinator, asked, seen, step, unanswered } = await working(cluster);
  await step();
  // The leader stays, with nobody to agree with: what it was given is on its way until it is told otherwise.
  const leader = await untilLed(cluster, RUN);
  const [one = '', two = ''] = NAMES.filter((name) => name !== leader);
  await Promise.all([cluster.kill(one), cluster.kill(two)]);
  let stored = false;
  const stuck = step().then(() => {
    stored = true;
  });
  await until(() => unanswered() >= 3);
  expect(stored).toBe(false);
  await cluster.start(one);
  await stuck;
  await cluster.start(two);
  await step();
  await until(() => new Set(seen.reports).size === asked.length);
  expect((await insist(() => coordinator.readRun('run-1'))).map(({ data }) => text(data))).toEqual(asked);
  expect([...PASSES, 'SB-BUS-OFFLINE']).toEqual(expect.arrayContaining([...seen.codes]));
}, 120_000);
