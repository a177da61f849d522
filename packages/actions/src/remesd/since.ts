import type { SignerState } from '@signalbox/protocol/readings';

export interface Signed {
  /** Where the data was left that takes the place of the present one. */
  before: SignerState | undefined;
  now: SignerState | undefined;
  /** The data that goes aside. */
  data: string;
}

/**
 * The blocks that are in a node's data and in what takes its place are not, in words for a person. A validator signs nearly all of
 * them, so that what it has signed tells their heights, also when it is down.
 */
export function blocksSince({ before, now, data }: Signed): string {
  const aside = `in ${data}, which goes aside; the node has to get them again from its peers`;
  const [from, to] = [BigInt(before?.height ?? 0), BigInt(now?.height ?? 0)];
  if (to > from) return `blocks ${from + 1n} to ${to}, by what was signed here, ${aside}`;
  return `the blocks that came since, how many is not known where nothing was signed, ${aside}`;
}
