import { NAME_PATTERN, RunId } from '@signalbox/protocol';
import { busError } from './codes.ts';

/**
 * What ends up in a subject is checked here once more, whoever checked it before: a literal `*` in a published subject is
 * stored as such, and a dot moves every token behind it.
 */
export function hostToken(host: string): string {
  if (!NAME_PATTERN.test(host)) throw busError('SB-BUS-SUBJECT', `${JSON.stringify(host)} is not a host or mesh name`);
  return host;
}

export function runToken(run: string): string {
  if (!RunId.safeParse(run).success) throw busError('SB-BUS-SUBJECT', `${JSON.stringify(run)} is not a run id`);
  return run;
}

/** An id that is already encoded: a command's, a control's, a verb, a hash. */
export function idToken(id: string): string {
  if (!/^[A-Za-z0-9_/[\]=:%-]{1,512}$/.test(id)) {
    throw busError('SB-BUS-SUBJECT', `${JSON.stringify(id.slice(0, 80))} cannot be a token of a subject`);
  }
  return id;
}

/** The token of a subject at a position, from 0. */
export function tokenAt(subject: string, position: number): string {
  return subject.split('.')[position] ?? '';
}
