import { type Failure, SignalboxError } from '@signalbox/protocol';
import { cliError } from './codes.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Paint } from './paint.ts';
import { safeText } from './safe-text.ts';

/** The failure inside anything thrown. What has no code is a mistake of this program, and says so. */
export function failureOf(error: unknown): Failure {
  if (error instanceof SignalboxError) return error.failure;
  const message = error instanceof Error ? error.message : String(error);
  return cliError('SB-CLI-INTERNAL', message, { cause: error }).failure;
}

/** The one form in which an error is shown: code, what happened, what to do. */
export function renderFailure({ code, message, next }: Failure, paint: Paint): string[] {
  const [first = '', ...rest] = message.split('\n').map(safeText);
  return [`${paint.bad(`error ${code}`)}  ${first}`, ...rest.map((line) => `      ${line}`), `      ${safeText(next)}`];
}

/** Codes that say: what you gave is wrong. Nothing was begun, and trying again gives the same answer. */
const USAGE: ReadonlySet<string> = new Set([
  'SB-CLI-USAGE',
  'SB-CLI-NO-SETTINGS',
  'SB-CLI-PASSPHRASE',
  'SB-CLI-MESH',
  'SB-CLI-FILE',
  'SB-CLI-FINDINGS',
  'SB-CLI-HOST-PROBLEMS',
  'SB-CLI-PLAN',
  'SB-CLI-NO-RUN',
  'SB-CLI-NO-STEP',
  'SB-CLI-NO-HOST',
  'SB-CLI-NOT-CONFIRMED',
  'SB-CLI-TOPIC',
  'SB-COORD-MESH',
  'SB-COORD-NO-RUN',
  'SB-COORD-PLAN',
  'SB-COORD-DRIFT',
  'SB-COORD-HOST',
  'SB-COORD-VERB',
  'SB-RUN-NO-STEP',
]);

/** Codes of the bus that are about what was sent, not about reaching anybody. */
const NOT_ABOUT_REACHING: ReadonlySet<string> = new Set(['SB-BUS-SUBJECT', 'SB-BUS-TOO-LARGE', 'SB-BUS-REMOTE']);

export function exitCodeOf({ code }: Failure): ExitCode {
  if (USAGE.has(code) || code.startsWith('SB-CFG-') || /^SB\d/.test(code)) return EXIT.usage;
  if (code === 'SB-CLI-REPLY' || (code.startsWith('SB-BUS-') && !NOT_ABOUT_REACHING.has(code))) return EXIT.unreachable;
  return EXIT.failed;
}

/** Whether a failure is about this side or the way to the coordinator; every other one is what a host or the run says. */
export function isAboutReaching({ code }: Failure): boolean {
  return code.startsWith('SB-BUS-') || code.startsWith('SB-CLI-');
}

/** Whether the coordinator was not there to answer: what a screen waits out instead of ending. */
export function isAway(error: unknown): boolean {
  return error instanceof SignalboxError && AWAY.has(error.code);
}

const AWAY: ReadonlySet<string> = new Set([
  'SB-BUS-NO-COORDINATOR',
  'SB-BUS-NO-LEADER',
  'SB-BUS-TIMEOUT',
  'SB-BUS-OFFLINE',
  'SB-COORD-NOT-LED',
]);
