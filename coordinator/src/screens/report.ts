import { formatClock, formatDuration, isJsonObject, type Json, type Leftover, reachTable } from '@signalbox/protocol';
import { safeText } from '../cli/safe-text.ts';
import { cut, table } from './layout.ts';
import type { ReportItem } from './report-checklist.ts';
import type { RunReport } from './report-model.ts';
import { dateAndTime, timeOfDay, type Zone } from './time.ts';
import { namedValues, valueText } from './values.ts';

/** Room for paths, digests and commits; of what is longer, such as a list of packages, `--json` has all. */
const LONGEST = 120;

/** The report as text for a terminal, or as Markdown for a ticket. */
export function reportScreen(report: RunReport, { format, ...zone }: Zone & { format: 'text' | 'md' }): string[] {
  const sections = sectionsOf(report, zone);
  const title = `${report.run}: ${report.outcome}`;
  if (format === 'text') {
    return [
      `REPORT ${title}   mesh ${report.mesh}`,
      ...sections.flatMap(({ name, header, rows }) => [
        '',
        name,
        // Columns that carry names of systems mean nothing without them.
        ...table(name === 'reachability' ? [header, ...rows] : rows).map((line) => `  ${line}`),
      ]),
    ];
  }
  return [
    `# ${title}`,
    '',
    `Mesh ${report.mesh}, runbook ${report.runbook}, plan \`${report.planHash}\`.`,
    ...sections.flatMap(({ name, header, rows }) => ['', `## ${capital(name)}`, '', ...markdownTable(header, rows)]),
  ];
}

interface Section {
  readonly name: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function sectionsOf(report: RunReport, zone: Zone): Section[] {
  const [from = [], ...reach] = reachTable(report.reach).map((cells) => cells.map(safeText));
  const sections: Section[] = [
    { name: 'outcome', header: ['what', 'value'], rows: outcomeRows(report, zone) },
    {
      name: 'checklist',
      header: ['item', 'host', 'how', 'state', 'by', 'at', 'with'],
      rows: report.checklist.map((item) => checklistRow(item, zone)),
    },
    { name: 'clocks', header: ['clock', 'down', 'budget'], rows: report.clocks.map(clockRow) },
    {
      name: 'gates',
      header: ['gate', 'host', 'passed at', 'with'],
      rows: report.gates.map(({ step, host, atMs, values }) => [
        step,
        host ?? '',
        timeOfDay(atMs, zone),
        namedValues(Object.keys(values), values),
      ]),
    },
    { name: 'reachability', header: from, rows: reach },
    {
      name: 'steps',
      header: ['#', 'step', 'host', 'state', 'took', 'attempts'],
      rows: report.steps.map(({ number, step, host, phase, durationMs, attempts }) => [
        String(number),
        step,
        host ?? '',
        phase,
        durationMs === undefined ? '' : formatDuration(durationMs),
        attempts > 1 ? `${attempts} attempts` : '',
      ]),
    },
    {
      name: 'on record',
      header: ['step', 'host', 'what', 'value'],
      rows: report.steps.flatMap(({ step, host, receipt }) =>
        entriesOf(receipt).map(([what, value]) => [step, host ?? '', what, cut(valueText(value), LONGEST)]),
      ),
    },
    {
      name: 'who said what',
      header: ['at', 'what'],
      rows: report.people.map(({ atMs, text }) => [timeOfDay(atMs, zone), text]),
    },
    {
      name: 'dropped hosts',
      header: ['host', 'why'],
      rows: report.dropped.map(({ host, reason }) => [host, safeText(reason)]),
    },
    { name: 'left to do by hand', header: ['where', 'what', 'how'], rows: report.leftovers.map(leftoverRow) },
  ];
  return sections.filter(({ rows }) => rows.length > 0);
}

function outcomeRows(report: RunReport, zone: Zone): string[][] {
  const { startedBy, startedAtMs, endedAtMs, durationMs, undoReason, crossed, acceptedDrift } = report;
  return [
    ['outcome', report.outcome],
    ['runbook', report.runbook],
    ['plan', report.planHash.slice(0, 12)],
    ['started', `${dateAndTime(startedAtMs, zone)} by ${safeText(startedBy)}`],
    ['ended', endedAtMs === undefined ? 'not yet' : dateAndTime(endedAtMs, zone)],
    ['took', formatDuration(durationMs)],
    ...(undoReason === undefined ? [] : [['taken back', safeText(undoReason)]]),
    ...(crossed.length === 0 ? [] : [['crossed', crossed.join(', ')]]),
    ...acceptedDrift.map((drift) => ['drift accepted', safeText(drift)]),
  ];
}

/** With the names that an execution made for itself among the others: where its backup lies is what people look for. */
function entriesOf({ own, ...receipt }: RunReport['steps'][number]['receipt']): [string, Json][] {
  return Object.entries(isJsonObject(own) ? { ...receipt, ...own } : receipt);
}

function checklistRow({ item, host, how, phase, who, atMs, values, note }: ReportItem, zone: Zone): string[] {
  const said = [namedValues(Object.keys(values), values), note === undefined ? '' : safeText(note)];
  const at = atMs === undefined ? '' : timeOfDay(atMs, zone);
  const by = who === undefined ? '' : safeText(who);
  return [item, host ?? '', how, phase, by, at, said.filter((text) => text !== '').join(' ')];
}

function clockRow({ name, elapsedMs, budgetMs, over }: RunReport['clocks'][number]): string[] {
  const budget = budgetMs === undefined ? '' : `of ${formatClock(budgetMs)}${over ? ', OVER BUDGET' : ''}`;
  return [name, formatClock(elapsedMs), budget];
}

function leftoverRow({ step, host, what, byHand }: Leftover): string[] {
  const where = [step, host ?? ''].filter((part) => part !== '').join(' on ');
  return [where, safeText(what), byHand === undefined ? '' : safeText(byHand)];
}

function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(markdownCell).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}

/** What a host or a person wrote must not become markup. */
function markdownCell(text: string): string {
  return text === '---' ? text : text.replace(/[\\|`*_<>[\]]/g, (c) => `\\${c}`);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
