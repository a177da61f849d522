import type { AuditEntry } from '@signalbox/protocol';
import { safeText } from '../cli/safe-text.ts';
import type { AuditChain } from '../record/requests.ts';
import { cut, table } from './layout.ts';
import { dateAndTime, type Zone } from './time.ts';

const MESSAGE_WIDTH = 60;
const LANES: Readonly<Record<AuditChain['lane'], string>> = {
  asked: 'asked for by people it knows',
  looked: 'looks',
  unproven: 'by nobody it knows',
};

/** What coordinators were asked, oldest first, and how far that is proven. */
export function auditScreen(
  mesh: string,
  { entries, chains }: { entries: readonly AuditEntry[]; chains: readonly AuditChain[] },
  zone: Zone = {},
): string[] {
  const refused = entries.filter(({ granted }) => !granted).length;
  const head = `mesh ${mesh}   ${entries.length} ${entries.length === 1 ? 'request' : 'requests'}, ${refused} refused`;
  const rows = entries.map(({ atMs, by, verb, run, host, granted, code, message, unwritten }) => [
    dateAndTime(atMs, zone),
    by ? safeText(by.name) : 'not known',
    safeText(by?.role ?? ''),
    safeText(verb),
    safeText(cut(run ?? host ?? '', MESSAGE_WIDTH)),
    granted ? 'granted' : `${safeText(code ?? 'refused')}: ${safeText(cut(message ?? '', MESSAGE_WIDTH))}`,
    unwritten === undefined ? '' : `and ${unwritten} before it`,
  ]);
  const proven = chains.map(
    ({ coordinator, lane, from, to }) =>
      `${coordinator}: ${from} to ${to}, ${LANES[lane]}: sealed, none missing between`,
  );
  return [head, ...(rows.length === 0 ? [] : ['', ...table(rows)]), ...(proven.length === 0 ? [] : ['', ...proven])];
}
