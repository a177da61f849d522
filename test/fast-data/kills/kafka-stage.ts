import { until } from '@signalbox/protocol/testing';
import { KafkaWorld, type KafkaWorldOptions, NEW_BROKERS, OLD_BROKERS } from '../kafka-world.ts';
import type { Counted, Place, Stage } from './stage.ts';
import { strikeDaemon } from './strike.ts';

const AT_WORK = { rtu: 1, svc: 1, api: 2 };
/** Slow enough for services that have a small share of a machine. */
const EVERY_MS = 100;
const SETTLE_MS = 120_000;

/** `kafka-cutover` between two clusters, moved back by hand after each run. */
export class KafkaCells implements Stage {
  readonly world: KafkaWorld;
  readonly words = ['RUNBOOK'];
  /** Longer than an action waits for pods. */
  readonly patienceMs = 480_000;

  static async start(options: KafkaWorldOptions = {}): Promise<KafkaCells> {
    return new KafkaCells(await KafkaWorld.start({}, { everyMs: EVERY_MS, ...options }));
  }

  #mayRepeat = 0;

  private constructor(world: KafkaWorld) {
    this.world = world;
  }

  end(): Promise<void> {
    return this.world.end();
  }

  victimsAt(): readonly string[] {
    return ['agent', 'coordinator', 'source broker', 'destination broker'];
  }

  async startOver(): Promise<void> {
    if (this.world.cluster.deployments.size > 0) await this.world.clear();
    this.world.tonight();
    await this.world.load();
    this.#mayRepeat = 0;
  }

  async strike(victim: string, { host }: Place): Promise<void> {
    const { world } = this;
    if (victim === 'agent' || victim === 'coordinator') await strikeDaemon(world, victim, host);
    else this.#mayRepeat += await world.strike(victim === 'source broker' ? 'source' : 'destination');
  }

  async settle(at: 'source' | 'destination'): Promise<Counted> {
    const { world } = this;
    const led = at === 'source' ? OLD_BROKERS : NEW_BROKERS;
    const where = () => world.brokersOf('rtu', 'svc', 'api').every((name) => name === led) && world.atWork(AT_WORK);
    await until(`services at work at the ${at}`, where, { timeoutMs: SETTLE_MS });
    await world.moreInView(20);
    const { written, lost, duplicated } = await world.finish();
    return { written, lost: lost.length, duplicated: duplicated.length, accepted: this.#mayRepeat };
  }
}
