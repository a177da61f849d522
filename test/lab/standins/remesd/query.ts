import type { Release } from './versions.ts';

/** What the releases of the lab can be asked, and below which words there is more to ask. */
const COMMANDS = [
  'comet',
  'config',
  'export',
  'genesis',
  'help',
  'init',
  'keys',
  'query',
  'start',
  'status',
  'tx',
  'version',
];
const QUERIES = [
  'query remes',
  'query remes params',
  'query slashing',
  'query slashing params',
  'genesis migrate',
  'genesis validate',
];

export function hasCommand(words: readonly string[], release: Release): boolean {
  const known = [...COMMANDS, ...QUERIES, ...(release.pools ? ['query remes task-pools'] : [])];
  const said = words.join(' ');
  return said.endsWith('*') ? known.some((one) => one.startsWith(said.slice(0, -1))) : known.includes(said);
}

/** Answers as JSON on standard output. An unknown query prints help and exits with 0, as Cobra's groups do. */
export function query(words: readonly string[], release: Release): number {
  const answers: Record<string, object> = {
    'remes params': { params: { schema: release.schema } },
    // The example parameters of the SDK: a window of 100 blocks, half of which must be signed.
    'slashing params': { params: { signed_blocks_window: '100', min_signed_per_window: '0.500000000000000000' } },
    ...(release.pools
      ? {
          'remes task-pools': {
            task_pools: [
              { id: '1', model: 'lora-7b' },
              { id: '2', model: 'lora-13b' },
            ],
          },
        }
      : {}),
  };
  const answer = answers[words.join(' ')];
  process.stdout.write(
    answer ? `${JSON.stringify(answer)}\n` : 'Querying subcommands\n\nUsage:\n  remesd query [command]\n',
  );
  return 0;
}
