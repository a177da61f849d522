import { type CodeCatalogue, failWith } from '@signalbox/protocol';

/** What can be wrong with a settings file of any of the programs, before it does anything. */
export const SETTINGS_CODES = {
  'SB-CFG-READ': {
    class: 'terminal',
    means: 'A settings file cannot be read.',
    next: 'Check the path given with --config and the permissions of the file.',
  },
  'SB-CFG-EMPTY': {
    class: 'terminal',
    means: 'A settings file is empty.',
    next: 'Write at least the keys that the reference of the program calls required.',
  },
  'SB-CFG-YAML': {
    class: 'terminal',
    means: 'A settings file is not YAML.',
    next: 'Correct the line that is named.',
  },
  'SB-CFG-KEY': {
    class: 'terminal',
    means: 'A settings file has a key that the program does not know.',
    next: 'Correct or remove the key; the reference of the program lists all of them.',
  },
  'SB-CFG-VALUE': {
    class: 'terminal',
    means: 'A value in a settings file is missing or of the wrong form.',
    next: 'Correct the value; the reference of the program lists what each key takes.',
  },
  'SB-CFG-SEED': {
    class: 'terminal',
    means: 'A seed file cannot be read or holds no seed.',
    next: 'Put the nkey seed (SU...) of this program into the file that seedFile names.',
  },
  'SB-CFG-SEED-LOCKED': {
    class: 'terminal',
    means: 'A seed file is encrypted with a passphrase, and this program has nobody to ask for it.',
    next: "Only a person's key can be locked; `signalbox key unlock` takes the passphrase off.",
  },
  'SB-CFG-SEED-MODE': {
    class: 'terminal',
    means: 'A seed file can be read by others than its owner.',
    next: 'chmod 0600 the file and let the user of the program own it; if others could read it, make a new key.',
  },
} as const satisfies CodeCatalogue;

export const settingsError = failWith(SETTINGS_CODES);
