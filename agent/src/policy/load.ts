import { lstatSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { policyError } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { loadSettings } from '@signalbox/settings';
import { createPolicy, EVERYTHING, type Policy, PolicyFile, type PolicyOptions } from './policy.ts';

export interface PolicySource extends Omit<PolicyOptions, 'sha256' | 'uidOf'> {
  /** Path of policy.yaml; undefined: everything is allowed. */
  readonly path: string | undefined;
  /** Who may own it beside root. Default the user that this process runs as. */
  readonly owner?: number;
}

/**
 * Reads what the owner of this host allows.
 * @throws SB-POLICY-FILE when somebody else could change it; SB-CFG-* when it is no policy.
 */
export function loadPolicy({ path, owner = process.geteuid?.() ?? 0, own, actionByName }: PolicySource): Policy {
  if (path === undefined) return EVERYTHING;
  const file = resolve(path);
  refuseOthers(file, owner);
  const parsed = loadSettings(file, PolicyFile);
  const options = { sha256: sha256(readFileSync(file, 'utf8')), own: [...own, file], uidOf, actionByName };
  return createPolicy(parsed, options);
}

/** The file, and every folder above it: who may rename in one of them could put another file in its place. */
function refuseOthers(file: string, owner: number): void {
  for (let at = file; ; at = dirname(at)) {
    const stats = lstatSync(at, { throwIfNoEntry: false });
    // loadSettings says better what is wrong with a file that is not there.
    if (stats === undefined) return;
    if (stats.isSymbolicLink()) throw policyError('SB-POLICY-FILE', `${at} is a symbolic link`);
    if (stats.uid !== 0 && stats.uid !== owner)
      throw policyError('SB-POLICY-FILE', `${at} belongs to user ${stats.uid}`);
    // In a folder like /tmp (sticky, stat(2)) nobody but the owner renames.
    const shared = stats.isDirectory() && (stats.mode & 0o1000) !== 0;
    if ((stats.mode & 0o022) !== 0 && !shared) {
      throw policyError('SB-POLICY-FILE', `${at} has mode 0${(stats.mode & 0o7777).toString(8)}: others may write it`);
    }
    if (at === '/') return;
  }
}

/** A number as it is, a name from the users of this host (passwd(5)). */
function uidOf(user: string): number | undefined {
  if (/^\d+$/.test(user)) return Number(user);
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${user}:`));
  return line === undefined ? undefined : Number(line.split(':')[2]);
}
