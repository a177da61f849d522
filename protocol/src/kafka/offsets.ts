/** What a cluster says of one partition; 64-bit numbers as decimal text, as kafkajs gives them. */
export interface PartitionMarks {
  readonly partition: number;
  /** The oldest offset that is still there. */
  readonly low: string;
  /** The offset that the next message gets. */
  readonly high: string;
}

export interface CommittedOffset {
  readonly partition: number;
  /** `-1`: this group has never committed here. */
  readonly offset: string;
}

/**
 * Messages that a group has not read in one partition: `high - max(committed, low)`. Without a commit it is the whole
 * backlog. Retention may have deleted what was not read (`low` above `committed`): that is lost, not lag. A commit above
 * `high` (a topic that was made anew) is no negative lag.
 */
export function partitionLag({ low, high }: PartitionMarks, committed: string): bigint {
  const [from, to] = [BigInt(low), BigInt(high)];
  const at = BigInt(committed);
  const read = at > from ? at : from;
  return to > read ? to - read : 0n;
}

/** 64-bit numbers as values: a number where that is exact, else decimal text. */
export function count(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

export const sum = (values: readonly bigint[]): bigint => values.reduce((all, one) => all + one, 0n);
