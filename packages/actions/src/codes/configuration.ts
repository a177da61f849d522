import type { CodeCatalogue } from '@signalbox/protocol';

/** What can go wrong with environment files, drop-ins and secrets. */
export const CONFIGURATION_CODES = {
  'SB-ACT-ENV-FILE': {
    class: 'terminal',
    means:
      'A file with environment variables is no plain data: a name stands twice, or a value would be run by a shell.',
    next: 'Correct the line that is named by hand; nothing was changed.',
  },
  'SB-ACT-ENV-BLANK': {
    class: 'terminal',
    means: 'A variable that is to be renamed or set has no value, and an empty one would silently take its place.',
    next: 'Give it a value, or leave it out of the table; nothing was changed.',
  },
  'SB-ACT-ENV-CONFLICT': {
    class: 'terminal',
    means: 'The old and the new name of a variable both stand in the file, with different values.',
    next: 'Decide which value counts and remove the other line; nothing was changed.',
  },
  'SB-ACT-ENV-ELSEWHERE': {
    class: 'terminal',
    means: 'The unit gets a variable under its old name from somewhere else than the file that is changed.',
    next: 'Look at `systemctl cat UNIT` for Environment= and further EnvironmentFile= lines.',
  },
  'SB-ACT-SECRET-STORE': {
    class: 'retryable',
    means: 'AWS Secrets Manager cannot be reached from this host, or refuses its agent.',
    next: 'Check region and credentials of the agent (/etc/signalbox/agent.env, or the role of the machine) and its policy.',
  },
  'SB-ACT-SECRET-FORM': {
    class: 'terminal',
    means: 'A secret is no JSON object, so it has no fields that values could be put into.',
    next: 'Give the id of another secret, or make this one an object; nothing was changed.',
  },
  'SB-ACT-SECRET-DIFFERS': {
    class: 'terminal',
    means: 'The store of secrets and the file do not have the same values.',
    next: 'Find out who else writes the secret; the file with the values is still there.',
  },
  'SB-ACT-DROP-IN': {
    class: 'terminal',
    means: 'systemd does not show what a drop-in says: another file outranks it, or it was not read.',
    next: 'Look at `systemctl cat UNIT` on the host.',
  },
} as const satisfies CodeCatalogue;
