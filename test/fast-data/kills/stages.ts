import { KafkaCells } from './kafka-stage.ts';
import { MongoCells } from './mongo-stage.ts';
import { Platform } from './platform-stage.ts';
import type { Stage } from './stage.ts';

/** Worlds that runs are played in, by name. */
export const STAGES = {
  mongodb: () => MongoCells.start(1),
  /** Sets of three: whoever kills a primary has another one elected. */
  'mongodb-3': () => MongoCells.start(3),
  kafka: () => KafkaCells.start(),
  /** To a destination on the next line of Kafka. */
  'kafka-4': () => KafkaCells.start({ destination: 'new' }),
  /** Services, MongoDB and Kafka one after the other, without a kill: each part has its own. */
  platform: () => Platform.start(),
} satisfies Record<string, () => Promise<Stage>>;
export type StageName = keyof typeof STAGES;
