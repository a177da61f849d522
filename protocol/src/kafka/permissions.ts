import type { LoggedIn } from './logged-in.ts';
import { Answer, bool, int32, string, strings } from './wire.ts';

/** Operations as Kafka's ACLs name them, with the bit that each has (AclOperation in Kafka). */
const OPERATIONS = {
  Read: 3,
  Write: 4,
  Create: 5,
  Delete: 6,
  Alter: 7,
  Describe: 8,
  ClusterAction: 9,
  DescribeConfigs: 10,
  AlterConfigs: 11,
  IdempotentWrite: 12,
} as const;
export type KafkaOperation = keyof typeof OPERATIONS;
export const KAFKA_OPERATIONS = Object.keys(OPERATIONS) as [KafkaOperation, ...KafkaOperation[]];

export interface TopicPermissions {
  /** `unknown`: no such topic; `hidden`: it may not be described, and whether it exists is not said. */
  state: 'there' | 'unknown' | 'hidden';
  may: ReadonlySet<KafkaOperation>;
}

/** Errors of the protocol. */
const TOPIC_AUTHORIZATION_FAILED = 29;
const GROUP_AUTHORIZATION_FAILED = 30;

/** What the login may do with the cluster and these topics, in the broker's own words (KIP-430). Creates none [T59]. */
export async function permissionsOf(
  broker: LoggedIn,
  names: readonly string[],
): Promise<{ cluster: ReadonlySet<KafkaOperation>; topics: Map<string, TopicPermissions> }> {
  const [METADATA, VERSION] = [3, 8];
  const body = Buffer.concat([strings(names), bool(false), bool(true), bool(true)]);
  const answer = new Answer(await broker.ask({ apiKey: METADATA, apiVersion: VERSION, body }));
  answer.int32();
  answer.array(() => [answer.int32(), answer.string(), answer.int32(), answer.string()]);
  answer.string();
  answer.int32();
  const topics = answer.array((): [string, TopicPermissions] => {
    const [error, name] = [answer.int16(), answer.string()];
    answer.bool();
    answer.array(() => skipPartition(answer));
    const may = operationsIn(answer.int32());
    if (error === TOPIC_AUTHORIZATION_FAILED) return [name, { state: 'hidden', may: new Set() }];
    return [name, error === 0 ? { state: 'there', may } : { state: 'unknown', may: new Set() }];
  });
  return { cluster: operationsIn(answer.int32()), topics: new Map(topics) };
}

function skipPartition(answer: Answer): void {
  answer.int16();
  for (let fields = 0; fields < 3; fields++) answer.int32();
  for (let lists = 0; lists < 3; lists++) answer.array(() => answer.int32());
}

function operationsIn(bits: number): ReadonlySet<KafkaOperation> {
  return new Set(KAFKA_OPERATIONS.filter((name) => (bits & (1 << OPERATIONS[name])) !== 0));
}

/**
 * What the login may do with a group: asked of any broker, because permission is looked at before everything else, and
 * looking for the group's own broker has a new cluster create the topic of offsets. The heartbeat is that of a member
 * whom no group has, and does nothing.
 */
export async function groupPermissionsOf(broker: LoggedIn, group: string): Promise<ReadonlySet<KafkaOperation>> {
  const [HEARTBEAT, DESCRIBE_GROUPS] = [12, 15];
  const beat = Buffer.concat([string(group), int32(-1), string('')]);
  const read = new Answer(await broker.ask({ apiKey: HEARTBEAT, apiVersion: 0, body: beat })).int16();
  const described = new Answer(await broker.ask({ apiKey: DESCRIBE_GROUPS, apiVersion: 0, body: strings([group]) }));
  const [describe] = described.array(() => described.int16());
  return new Set<KafkaOperation>([
    ...(read === GROUP_AUTHORIZATION_FAILED ? [] : (['Read'] as const)),
    ...(describe === GROUP_AUTHORIZATION_FAILED ? [] : (['Describe'] as const)),
  ]);
}
