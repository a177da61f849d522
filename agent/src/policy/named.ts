import { realpathSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { isSecretRef, type Json } from '@signalbox/protocol';
import { UNIT_PATTERN } from '@signalbox/protocol/readings';

/** What of a host an input names. */
export interface Named {
  readonly paths: readonly string[];
  readonly units: readonly string[];
  /** References to secrets, each as it is written. */
  readonly secrets: readonly string[];
}

/**
 * Every path, unit and secret in an input, found by the form of the value and not by the name of its field: a field that somebody
 * adds to an action is held against the policy without anybody thinking of it. The price is that a text which only looks
 * like a path must be allowed as one.
 * @param leaveOut keys whose values are judged in another way.
 */
export function namedIn(value: Json | undefined, leaveOut: ReadonlySet<string> = new Set()): Named {
  const paths: string[] = [];
  const units: string[] = [];
  const secrets: string[] = [];
  visit(value);
  return { paths, units, secrets };

  function visit(part: Json | undefined): void {
    if (typeof part === 'string') {
      if (part.startsWith('/')) paths.push(part);
      else if (part.startsWith('file:/')) paths.push(part.slice('file:'.length));
      else if (UNIT_PATTERN.test(part)) units.push(part);
    } else if (Array.isArray(part)) part.forEach(visit);
    else if (isSecretRef(part)) secrets.push(part.$secret);
    else if (typeof part === 'object' && part !== null) {
      for (const [key, inner] of Object.entries(part)) if (!leaveOut.has(key)) visit(inner);
    }
  }
}

/**
 * A path as it is written, in normal form, and as the file system has it now. What does not exist yet is where its nearest
 * folder really is.
 * @returns undefined when the file system cannot say: a loop of links, a folder that may not be looked into.
 */
export function placesOf(path: string): readonly string[] | undefined {
  const written = normalize(path).replace(/(.)\/$/, '$1');
  const missing: string[] = [];
  for (let at = written; ; at = dirname(at)) {
    try {
      return [written, join(realpathSync(at), ...missing)];
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'ENOENT' || at === '/') return undefined;
      missing.unshift(basename(at));
    }
  }
}
