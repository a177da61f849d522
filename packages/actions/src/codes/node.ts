import type { CodeCatalogue } from '@signalbox/protocol';

/** What can go wrong with the state of a chain node, beyond its backup. */
export const NODE_CODES = {
  'SB-ACT-SUBCOMMAND-MISSING': {
    class: 'terminal',
    means: 'The program does not have a subcommand that the step needs; guides name some that no release ever had.',
    next: 'Run the program with --help on the host and take the step out, or install a release that has it.',
  },
  'SB-ACT-EXPORT': {
    class: 'terminal',
    means:
      'What the program exported is not what it should be: no JSON, without the state of an application, or empty.',
    next: 'Read the output of the step; the node itself was not changed.',
  },
} as const satisfies CodeCatalogue;
