import { z } from 'zod';

/** Host, mesh and step names: what is safe in a NATS token, a file name and a shell prompt alike. */
export const NAME_PATTERN = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export const HostName = z.string().regex(NAME_PATTERN, 'lower-case letters, digits and dashes, at most 63');
export const MeshName = HostName;
/** `<runbook>-<n>`: short enough to be said over the phone. */
export const RunId = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,90}[a-z0-9])?$/);

export type Direction = 'do' | 'undo';
export const Direction = z.enum(['do', 'undo']);

/** Made by whoever starts a run: the same start, said again, gives the same run. */
export const StartId = z.string().regex(NAME_PATTERN, 'lower-case letters, digits and dashes, at most 63');

export interface CommandIdParts {
  run: string;
  /** Instance path of the step: `include/step[item]`. */
  step: string;
  host: string;
  direction: Direction;
  attempt: number;
}

/**
 * The deterministic id of a command [I1]: the same try at the same step on the same host always has the same id, so a
 * coordinator that starts again asks for the same thing and not for one more. It is also the last token of the
 * command's subject, so everything that NATS gives a meaning to is percent-encoded.
 */
export function commandId({ run, step, host, direction, attempt }: CommandIdParts): string {
  return [run, subjectToken(step), host, direction, String(attempt)].join(':');
}

/** Encodes any text as one NATS subject token. */
export function subjectToken(text: string): string {
  return text.replace(/[^A-Za-z0-9_/[\]=-]/gu, (c) =>
    [...new TextEncoder().encode(c)].map((b) => `%${b.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
