import { type CodeCatalogue, failWith } from '@signalbox/protocol';
import { CONFIGURATION_CODES } from './codes/configuration.ts';
import { DATABASE_CODES } from './codes/databases.ts';
import { DELIVERY_CODES } from './codes/delivery.ts';
import { FAST_DATA_CODES } from './codes/fast-data.ts';
import { KAFKA_CODES } from './codes/kafka.ts';
import { NODE_CODES } from './codes/node.ts';

/** Every way in which an action can fail. */
export const ACTION_CODES = {
  'SB-ACT-PROGRAM-MISSING': {
    class: 'terminal',
    means: 'A program that the action needs is not on the host, or may not be executed by the agent.',
    next: 'Install it, or correct its path; nothing was changed.',
  },
  'SB-ACT-COMMAND-FAILED': {
    class: 'terminal',
    means: 'A program that the action started ended with an error.',
    next: 'Read the output of the step: `signalbox logs RUN STEP`.',
  },
  'SB-ACT-COMMAND-CUT': {
    class: 'unknown',
    means: 'A program was ended by its time limit or by a signal before it said how it went.',
    next: 'Look at the host; then `signalbox resolve` says whether it was done.',
  },
  'SB-ACT-FILE': {
    class: 'terminal',
    means: 'Reading or writing a file failed.',
    next: 'Check path, owner and mode; the message names the path.',
  },
  'SB-ACT-NO-RECEIPT': {
    class: 'terminal',
    means: 'The way back needs a receipt that is not there, and the host alone does not say what was before.',
    next: 'Look at the host, take the step back by hand, then `signalbox resolve`.',
  },
  'SB-ACT-UNIT-MISSING': {
    class: 'terminal',
    means: 'systemd does not know the unit, or the unit starts no program.',
    next: 'Check the name of the unit and `systemctl cat UNIT` on the host.',
  },
  'SB-ACT-UNIT-MASKED': {
    class: 'terminal',
    means: 'The unit is masked and cannot be started.',
    next: 'Find out who masked it and why; `systemctl unmask` is theirs to say.',
  },
  'SB-ACT-UNIT-NOT-ENABLED': {
    class: 'terminal',
    means: 'The unit will not be started at boot, although it was enabled.',
    next: '`systemctl is-enabled UNIT` says why: a unit without [Install] cannot be enabled.',
  },
  'SB-ACT-UNIT-ACTIVE': {
    class: 'terminal',
    means: 'The unit runs, and what was asked would damage what it works on.',
    next: 'Stop the unit in an earlier step; nothing was changed.',
  },
  'SB-ACT-UNIT-ALIVE': {
    class: 'terminal',
    means: 'systemd was told to stop the unit, but the unit or a process of it is still there.',
    next: 'Look at `systemctl status UNIT` and end the process that is named; do not start the service elsewhere.',
  },
  'SB-ACT-UNIT-UNSTABLE': {
    class: 'terminal',
    means: 'The unit was started but does not stay up: it ended, changes its main process, or is restarted.',
    next: 'Read `journalctl -u UNIT` on the host.',
  },
  'SB-ACT-MASK-OUTRANKED': {
    class: 'terminal',
    means: 'The unit cannot be masked for this boot: its file in /etc outranks a runtime mask.',
    next: 'Keep the unit file below /usr/lib/systemd/system, or stop without `mask` and set the key aside.',
  },
  'SB-ACT-HOME-MISMATCH': {
    class: 'terminal',
    means: 'The unit runs with another home than the one that was given.',
    next: 'Give the home that the unit names in --home; nothing was changed.',
  },
  'SB-ACT-DATA-MISSING': {
    class: 'terminal',
    means: 'The home has no data folder.',
    next: 'Check the home; nothing was changed.',
  },
  'SB-ACT-DATA-BUSY': {
    class: 'terminal',
    means: 'A process has files of the data folder open or locked, although the unit is stopped.',
    next: 'End the process that is named; a copy made now would be corrupt.',
  },
  'SB-ACT-DISK-FULL': {
    class: 'terminal',
    means: 'There is not enough free space for what the action must write.',
    next: 'Free space on the file system that is named.',
  },
  'SB-ACT-BACKUP-EXISTS': {
    class: 'terminal',
    means: 'The folder of this backup exists already; a backup never goes into an existing one.',
    next: 'Look at what is in it and move it away.',
  },
  'SB-ACT-BACKUP-DAMAGED': {
    class: 'terminal',
    means: 'A backup is not complete, or its files are not those of its manifest. Nothing was restored.',
    next: 'Do not delete anything. Find another backup, or keep the present data.',
  },
  'SB-ACT-VALIDATOR-KEY': {
    class: 'terminal',
    means: 'A file that should hold a validator key does not: it names no address.',
    next: 'Correct the path, or bring the key to the host again; nothing was changed.',
  },
  'SB-ACT-SIGNER-UNKNOWN': {
    class: 'terminal',
    means: 'What the validator key signed last cannot be read, so nobody can say that a restore is safe.',
    next: 'Do not start the node. Find the newest priv_validator_state.json by hand.',
  },
  'SB-ACT-SIGNER-BACKWARD': {
    class: 'terminal',
    means: 'The restore would set the signing state back, and the validator could sign twice.',
    next: 'Do not start the node. Find the newest priv_validator_state.json by hand.',
  },
  'SB-ACT-SOURCE-MISSING': {
    class: 'terminal',
    means: 'The file to install is not on the host, or is no ordinary file.',
    next: 'Copy it to the host; nothing was changed.',
  },
  'SB-ACT-CHECKSUM': {
    class: 'terminal',
    means: 'A file has another checksum than the runbook says.',
    next: 'Fetch the file again, or correct the checksum after asking who published it.',
  },
  'SB-ACT-VERSION': {
    class: 'terminal',
    means: 'A program reports another version than the runbook says.',
    next: 'Check which build it is; nothing of the old one was lost.',
  },
  'SB-ACT-SYMLINK': {
    class: 'terminal',
    means: 'A path that would be replaced is a symbolic link: replacing it would change something else than it seems.',
    next: 'Name the real file in the runbook or the unit.',
  },
  'SB-ACT-CHANGED-MEANWHILE': {
    class: 'terminal',
    means: 'A file is neither what it was before the step nor what the step made of it: somebody else changed it.',
    next: 'Find out who; then decide by hand which one stays.',
  },
  'SB-ACT-WRITTEN-SINCE': {
    class: 'terminal',
    means: 'Taking a step of an earlier run back would destroy what was written after it.',
    next: 'Read the list; `signalbox undo RUN --accept-loss --note WHY` takes it back all the same.',
  },
  'SB-ACT-KEPT-DAMAGED': {
    class: 'terminal',
    means: 'The old file that was kept for the way back is missing or was changed.',
    next: 'Restore it by hand; the message names the checksum that it must have.',
  },
  'SB-ACT-VENV-MISMATCH': {
    class: 'terminal',
    means: 'The unit does not run from the virtual environment that was given.',
    next: 'Give the environment that ExecStart of the unit names.',
  },
  'SB-ACT-PIP-CHECK': {
    class: 'terminal',
    means: 'After the change, `pip check` finds packages that do not fit together.',
    next: 'Read the output of the step; the environment is put back by the undo.',
  },
  'SB-ACT-PIP-RESULT': {
    class: 'terminal',
    means: 'The environment does not hold what it should after pip said that it was done.',
    next: 'Compare `pip freeze` on the host with the list in the message.',
  },
  'SB-ACT-HTTP-REFUSED': {
    class: 'terminal',
    means: 'The server answered with a status that the runbook does not expect, and says by it that nothing was done.',
    next: 'Read the status in the message and the log of the server.',
  },
  'SB-ACT-HTTP-UNREACHABLE': {
    class: 'retryable',
    means: 'No connection to the server could be made; the request was never sent.',
    next: 'Check address and network from this host.',
  },
  'SB-ACT-HTTP-UNCLEAR': {
    class: 'unknown',
    means: 'The request was sent, and the server failed, was silent or did not show the effect: it may have been done.',
    next: 'Look at the server; then `signalbox resolve` says whether it was done.',
  },
  ...CONFIGURATION_CODES,
  ...DATABASE_CODES,
  ...FAST_DATA_CODES,
  ...KAFKA_CODES,
  ...DELIVERY_CODES,
  ...NODE_CODES,
} as const satisfies CodeCatalogue;

export const actionError = failWith(ACTION_CODES);
