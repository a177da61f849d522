import { until } from '@signalbox/protocol/testing';
import { FastDataWorld, NEW_SECRET, OLD_SECRET } from '../fast-data-world.ts';
import type { ReplicaSet } from '../mongo/replica-set.ts';
import type { Counted, Place, Stage } from './stage.ts';
import { strikeDaemon } from './strike.ts';

const MIRROR = 'mongomirror.service';
const SERVICES = ['crud', 'rtu', 'svc'] as const;
const AT_WORK = { crud: 1, rtu: 2, svc: 1 };
/** Slow enough for services that have a small share of a machine. */
const EVERY_MS = { 1: 100, 3: 500 } as const;
const SETTLE_MS = 120_000;

/** `mongodb-cutover` between two sets of so many members each, moved back by hand after each run. */
export class MongoCells implements Stage {
  readonly world: FastDataWorld;
  readonly words = ['RUNBOOK'];
  /** Longer than an action waits for pods. */
  readonly patienceMs = 480_000;

  static async start(members: 1 | 3): Promise<MongoCells> {
    return new MongoCells(
      await FastDataWorld.start({
        runbook: 'mongodb-cutover',
        sets: { members, destinationMembers: members },
        everyMs: EVERY_MS[members],
        params: () => ({ headroomSeconds: 30 }),
      }),
    );
  }

  private constructor(world: FastDataWorld) {
    this.world = world;
  }

  end(): Promise<void> {
    return this.world.end();
  }

  victimsAt({ step }: Place, steps: readonly string[]): readonly string[] {
    const [from, to, here] = ['mirror-started', 'mirror-stopped', step].map((id) => steps.indexOf(id)) as [
      number,
      number,
      number,
    ];
    const mirror = here >= from && here <= to ? ['mirror'] : [];
    return ['agent', 'coordinator', ...mirror, 'source mongod', 'destination mongod'];
  }

  async startOver(): Promise<void> {
    const { world } = this;
    if (world.cluster.deployments.size > 0) await world.stopServices();
    await world.systemctl('stop', MIRROR);
    for (const { root } of [world.stage.source, world.stage.destination]) {
      const admin = root.db('admin');
      await admin.command({ setUserWriteBlockMode: 1, global: false });
      await admin.command({ setParameter: 1, ttlMonitorEnabled: true });
      await root.db('shop').dropDatabase();
    }
    await world.emptyDestination();
    world.forgetLedgers();
    world.tonight();
    await world.load();
  }

  async strike(victim: string, { host }: Place): Promise<void> {
    const { stage } = this.world;
    if (victim === 'agent' || victim === 'coordinator') await strikeDaemon(this.world, victim, host);
    else if (victim === 'mirror') await this.world.systemctl('kill', '-s', 'SIGKILL', MIRROR);
    else await strikePrimary(victim === 'source mongod' ? stage.source : stage.destination);
  }

  async settle(at: 'source' | 'destination'): Promise<Counted> {
    const { world } = this;
    const led = at === 'source' ? OLD_SECRET : NEW_SECRET;
    const where = () => SERVICES.every((name) => world.secretOf(name) === led) && world.atWork(AT_WORK);
    await until(`services at work at the ${at}`, where, { timeoutMs: SETTLE_MS });
    await world.moreWrites(world.writes().length + 20);
    await world.stopServices();
    const { acknowledged, lost, duplicated, miscounted } = await world.count(at);
    const twice = duplicated.length + Math.abs(miscounted);
    return { written: acknowledged, lost: lost.length, duplicated: twice, accepted: 0 };
  }
}

/** With one member, the set is away for a moment; with three, another one is elected. */
async function strikePrimary(set: ReplicaSet): Promise<void> {
  const primary = await set.primary();
  await primary.kill();
  await primary.start();
}
