/** The releases of the chain's program that the lab knows, and what each does to the data that it finds. */
export interface Release {
  version: string;
  /** Form of the application database. A release migrates older forms at start and refuses newer ones. */
  schema: number;
  /** Panics so long after each start, having signed like a healthy one until then. */
  panicsAfterMs?: number;
  /** Has the query for task pools, which no real release has. */
  pools?: boolean;
}

const RELEASES: Release[] = [
  { version: 'v0.9.0', schema: 1 },
  { version: 'v1.0.0', schema: 2 },
  { version: 'v1.1.0-pools', schema: 2, pools: true },
  // The release that nobody should have cut: it migrates the data, comes up, votes, and panics; again and again. Each
  // time it lives longer than a start is watched, so only somebody who looks for a while sees the loop. Whoever puts old
  // data back now rewinds a signer that has already spoken.
  { version: 'v1.0.1-bad', schema: 3, panicsAfterMs: 2_800 },
  // The same, but so quick that whoever starts it sees it.
  { version: 'v1.0.2-dead', schema: 3, panicsAfterMs: 300 },
];

/** What a node of the lab runs when it is made. */
export const INSTALLED = 'v0.9.0';
/** What lies beside the installed release on a node of the lab. */
export const DOWNLOADED = ['v1.0.0', 'v1.1.0-pools', 'v1.0.1-bad', 'v1.0.2-dead'];

export function releaseOf(version: string): Release {
  const release = RELEASES.find((known) => known.version === version);
  if (!release)
    throw new Error(`the lab has no remesd ${version}; it has ${RELEASES.map((r) => r.version).join(', ')}`);
  return release;
}
