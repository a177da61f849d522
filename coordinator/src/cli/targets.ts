import type { HostRecord, ReplyBody } from '@signalbox/protocol';
import { cliError } from './codes.ts';

/**
 * Hosts by name, or by a label: `--hosts miner-1,miner-2`, `--hosts role=miner`. In the order given, each once.
 * @throws SB-CLI-NO-HOST
 */
export function targetsOf({ hosts }: Pick<ReplyBody<'hosts'>, 'hosts'>, said: readonly string[]): HostRecord[] {
  const words = said.flatMap((text) => text.split(',')).filter((word) => word !== '');
  const found = words.flatMap((word) => {
    const meant = hosts.filter((host) => isMeant(host, word));
    if (meant.length === 0) throw cliError('SB-CLI-NO-HOST', `no enrolled host is ${word}`);
    return meant;
  });
  return [...new Map(found.map((host) => [host.name, host])).values()];
}

function isMeant({ name, labels }: HostRecord, word: string): boolean {
  if (!word.includes('=')) return name === word;
  const [key = '', value] = word.split('=');
  return labels[key] === value;
}
