import type { Cli } from './cli.ts';
import type { MeshClient } from './client.ts';
import type { RunFeed } from './feed.ts';

/** What it takes to follow a run, on a board or line by line. */
export interface Following {
  readonly cli: Cli;
  readonly client: MeshClient;
  readonly feed: RunFeed;
  /** Aborted when the person leaves; the run goes on. */
  readonly stop: AbortController;
}
