import { type CodeCatalogue, failWith } from '@signalbox/protocol';

/** What can go wrong at the operator's side, before or after the mesh is asked. */
export const CLI_CODES = {
  'SB-CLI-USAGE': {
    class: 'terminal',
    means: 'The command line is not one that signalbox knows.',
    next: 'See `signalbox --help`, or `signalbox COMMAND --help` with an example.',
  },
  'SB-CLI-NO-SETTINGS': {
    class: 'terminal',
    means: 'No settings of a mesh were found.',
    next: 'Name them with --config or SIGNALBOX_CONFIG, or write ./signalbox.yaml; `signalbox dev` makes a mesh to try.',
  },
  'SB-CLI-MESH': {
    class: 'terminal',
    means: 'The settings are for another mesh than the one that was named. Nothing was asked of either.',
    next: 'Check --mesh and SIGNALBOX_MESH against the settings file that is named.',
  },
  'SB-CLI-PASSPHRASE': {
    class: 'terminal',
    means: 'The key of this person is locked with a passphrase, and that was not said.',
    next: 'Say it when you are asked, or name a file with it in SIGNALBOX_PASSPHRASE_FILE. Without it the key is lost: have another one made and certified.',
  },
  'SB-CLI-FILE': {
    class: 'terminal',
    means: 'A file cannot be read or written.',
    next: 'Check its path and its permissions.',
  },
  'SB-CLI-FINDINGS': {
    class: 'terminal',
    means: 'A runbook has errors.',
    next: 'Correct what is shown; `signalbox explain CODE` says more about a finding.',
  },
  'SB-CLI-HOST-PROBLEMS': {
    class: 'terminal',
    means: 'The hosts were looked at, and a step could not be done there as they are now. No plan was written.',
    next: 'Put right what is named for each step, then plan again.',
  },
  'SB-CLI-PLAN': {
    class: 'terminal',
    means: 'A file is not a plan of this version.',
    next: 'Make it again with `signalbox plan FILE --out P`.',
  },
  'SB-CLI-SIMULATOR': {
    class: 'terminal',
    means: 'The program that simulates is not beside this one, or broke.',
    next: 'Install signalbox again; in a checkout, `npm run setup` builds it.',
  },
  'SB-CLI-NO-RUN': {
    class: 'terminal',
    means: 'No run was named, and there is not exactly one active run that could be meant.',
    next: 'Name it; `signalbox runs --active` lists them.',
  },
  'SB-CLI-NO-STEP': {
    class: 'terminal',
    means: 'The run has no such step, or no such item of it.',
    next: 'See `signalbox status RUN` for the steps.',
  },
  'SB-CLI-NO-HOST': {
    class: 'terminal',
    means: 'No enrolled host is meant by what was given.',
    next: 'See `signalbox hosts` for names and labels.',
  },
  'SB-CLI-NOT-CONFIRMED': {
    class: 'terminal',
    means: 'What would begin was not confirmed. Nothing was started.',
    next: 'Type the name that is asked for; in a script, say --yes.',
  },
  'SB-CLI-NO-UNDO': {
    class: 'terminal',
    means: 'An earlier run cannot be taken back from its receipts, as the hosts are now. Nothing was started.',
    next: 'Each reason stands in the message; what would be lost can be accepted with --accept-loss --note WHY.',
  },
  'SB-CLI-REPLY': {
    class: 'terminal',
    means: 'An answer came that is not from a trusted coordinator, or is not the answer to what was asked.',
    next: 'Compare `coordinators` in your settings with the public key of the coordinator.',
  },
  'SB-CLI-VERIFY-BYTES': {
    class: 'terminal',
    means: 'A file is no bundle, or is not byte for byte as it was written.',
    next: 'Take another copy, or export the run again; do not rely on this one.',
  },
  'SB-CLI-VERIFY-SEAL': {
    class: 'terminal',
    means: 'A bundle is not sealed by a coordinator that is trusted here, or is not what was sealed.',
    next: 'Compare the coordinator’s public key (--trust, or `coordinators` in your settings); else do not rely on this file.',
  },
  'SB-CLI-VERIFY-CHAIN': {
    class: 'terminal',
    means: 'The log in a bundle is no unbroken chain from its plan on: something was changed, taken out or put in.',
    next: 'Export the run again and compare; the coordinator that sealed this has sealed a log that cannot be.',
  },
  'SB-CLI-VERIFY-AUDIT': {
    class: 'terminal',
    means:
      'What coordinators say they were asked is not proven: an entry is not sealed by one that is trusted, or does not follow the one before.',
    next: 'Name the keys of earlier coordinators with --trust. If it is none of those, somebody has written into the storage of NATS: compare with the coordinator’s own log.',
  },
  'SB-CLI-VERIFY-RUNBOOK': {
    class: 'terminal',
    means: 'The text of the runbook in a bundle is not the one that its plan was made from.',
    next: 'Ask whoever has signed the start: their plan was put together by hand. Do not rely on the text; the plan is what was run.',
  },
  'SB-CLI-VERIFY-REPORT': {
    class: 'terminal',
    means: 'A report in a bundle was not signed by its host, or a host has reported otherwise than the log says.',
    next: 'Compare with `signalbox-agent journal --run RUN` on that host: its journal is the last word.',
  },
  'SB-CLI-VERIFY-PEOPLE': {
    class: 'terminal',
    means:
      'The log in a bundle tells of a start or an approval that who is named has not signed, or for whom another authority speaks.',
    next: 'Compare the authority’s public key (--authority, or `authority` in your settings), and ask the person; else do not rely on this file.',
  },
  'SB-CLI-HOST-KEY': {
    class: 'terminal',
    means: 'The key of a host is not known to this operator, or is another one than was known. Nothing was sealed.',
    next: 'On the host, `journalctl -u signalbox-runner | grep "keys of this host"` names its key: say it with --key.',
  },
  'SB-CLI-WAITED': {
    class: 'retryable',
    means: 'What was waited for has not come in the time that was given. The run is not touched by this.',
    next: 'See `signalbox status RUN --why`.',
  },
  'SB-CLI-TOPIC': {
    class: 'terminal',
    means: 'There is no action, probe, code or trap of that name.',
    next: 'See `signalbox explain` without a name for all of them.',
  },
  'SB-CLI-AGENT-MISSING': {
    class: 'terminal',
    means: 'The program of the agent was found neither beside the coordinator nor on PATH.',
    next: 'Build or install signalbox-agent, or put it on PATH.',
  },
  'SB-CLI-DEV': {
    class: 'terminal',
    means: 'A part of the mesh for trying out ended, or was not ready in time.',
    next: 'Read the log that is named.',
  },
  'SB-CLI-INTERNAL': {
    class: 'unknown',
    means: 'signalbox itself failed in a way that it does not know. The run is not touched by this.',
    next: 'Run it again with SIGNALBOX_DEBUG=1 and report what it prints.',
  },
} as const satisfies CodeCatalogue;

export const cliError = failWith(CLI_CODES);
