import { type CodeCatalogue, failWith } from '@signalbox/protocol';

export const SETTINGS_CODES = {
  'SB-CFG-UNREADABLE': {
    class: 'terminal',
    means: 'A settings file is not there or may not be read.',
    next: 'Check the path given with --config and the permissions of the file.',
  },
  'SB-CFG-YAML': {
    class: 'terminal',
    means: 'A settings file is not valid YAML, or is empty.',
    next: 'Correct the line that is named.',
  },
  'SB-CFG-SHAPE': {
    class: 'terminal',
    means: 'A settings file has an unknown key, lacks one, or has a value of the wrong type.',
    next: 'Correct the line that is named; the reference lists every key.',
  },
  'SB-CFG-SEED': {
    class: 'terminal',
    means: 'A seed file is missing, readable by others, or holds no key.',
    next: 'Point seedFile at an nkey seed that only its owner may read (chmod 600).',
  },
} as const satisfies CodeCatalogue;

export const settingsError = failWith(SETTINGS_CODES);
