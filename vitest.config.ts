import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

// Packages are tested from their sources; programs started by tests (agents, coordinators) run from what was built,
// bundled as packages carry them.
const shared = { resolve: { conditions: ['source'] }, ssr: { resolve: { conditions: ['source'] } } };

const SIMULATOR = 'packages/simulator/src/**/*.test.ts';

/** What mostly waits for other programs leaves half of two cores idle with two workers, and what waits for windows to pass leaves more. */
const WAITING = 3;
const WAITING_LONG = 4;

export default defineConfig({
  test: {
    // As many as the smallest machine that this is for has cores. What is quick comes first, and what loads a machine by itself last.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/bundled.ts'],
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: [
            '{protocol,agent,coordinator,packages/*}/src/**/*.test.ts',
            'test/{docs,lab,demo,chaos,fuzz}/**/*.test.ts',
          ],
          exclude: [SIMULATOR, '**/*.{int,lab,days,chaos}.test.ts', '**/node_modules/**', '**/dist/**'],
          // A process for many files: half of the time would go into loading the same modules for each of them.
          isolate: false,
          testTimeout: 120_000,
        },
      },
      {
        ...shared,
        // By itself, because it puts checksums in the place of signatures, for all of its process.
        test: {
          name: 'simulator',
          include: [SIMULATOR],
          exclude: ['**/*.days.test.ts'],
          // Simulated days by the score; on a machine that does other things as well that takes a while.
          testTimeout: 120_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          include: ['{protocol,agent,coordinator,packages/*}/src/**/*.int.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          isolate: false,
          maxWorkers: WAITING,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...shared,
        // Simulated days by the hundred: too long for those who want a quick answer.
        test: {
          name: 'days',
          include: ['packages/simulator/src/**/*.days.test.ts'],
          testTimeout: 600_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          isolate: false,
          maxWorkers: WAITING_LONG,
          testTimeout: 180_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        ...shared,
        test: {
          name: 'lab',
          include: ['test/lab/hosts/**/*.lab.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          globalSetup: ['test/lab/hosts/global-setup.ts'],
          setupFiles: ['test/lab/hosts/alone.ts', 'test/lab/hosts/boot.ts'],
          maxWorkers: WAITING_LONG,
          testTimeout: 180_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        ...shared,
        test: {
          name: 'fast-data',
          include: ['test/fast-data/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 600_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        ...shared,
        // Its programs may be as slow as they like, so what lives in memory runs beside it.
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.chaos.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 1_200_000,
        },
      },
    ],
  },
});
