import type { Plan } from '@signalbox/protocol';
import { clocksOf, findingsOf, rolesOf, secretsOf, windowOf } from './facts.ts';
import { linksOf, networkDrawing, networkTable } from './network.ts';
import { type Row, rowsOf } from './rows.ts';
import { momentInWords } from './words.ts';

/** The plan as a document for those who decide, and for the ticket. */
export function planAsMarkdown(plan: Plan, drift: readonly string[]): string {
  const { name, summary, sha256 } = plan.runbook;
  const rows = rowsOf(plan);
  return [
    `# Plan: ${name}`,
    '',
    ...(summary ? [summary, ''] : []),
    `- Mesh: **${plan.mesh}**`,
    `- Made: ${momentInWords(plan.madeAtMs)} by ${plan.madeBy}`,
    `- Runbook: sha256 \`${sha256}\``,
    `- Hosts: ${rolesOf(plan).join('; ')}`,
    `- After a failure: ${plan.onFailure === 'hold' ? 'the run is held' : 'everything is taken back'}`,
    ...windowOf(plan).map((window) => `- ${window.replace('window', 'Window')}`),
    ...clocksOf(plan).map((clock) => `- Clock: ${clock}`),
    `- ${findingsOf(plan).replace('findings', 'Findings')}`,
    ...section(
      'Drift since this plan was made',
      drift.map((d) => `- ${d}`),
    ),
    '',
    '## Steps',
    '',
    '| # | step | where | does | undo |',
    '| --: | --- | --- | --- | --- |',
    ...rows.map(rowOf),
    ...section(
      'What cannot be taken back',
      rows.flatMap((r) =>
        r.kind === 'crossing' ? [`- **${r.step}** (step ${r.number}): ${r.statement} Needs ${r.needs}.`] : [],
      ),
    ),
    ...network(plan),
    ...section(
      'Secrets (values not read)',
      secretsOf(plan).map(({ param, ref, hosts }) => `- ${param}: \`${ref}\` on ${hosts.join(', ') || 'no host'}`),
    ),
    '',
  ].join('\n');
}

/** Drawn in characters, so that it is the same in a terminal, a ticket and a diff. */
function network(plan: Plan): string[] {
  const links = linksOf(plan);
  const [header, ...rows] = networkTable(links);
  return [
    ...section('Network', links.length === 0 ? [] : ['```text', ...networkDrawing(links), '```']),
    ...(header ? ['', cells(...header), cells(...header.map(() => '---')), ...rows.map((row) => cells(...row))] : []),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length > 0 ? ['', `## ${title}`, '', ...lines] : [];
}

function rowOf(row: Row): string {
  switch (row.kind) {
    case 'note':
      return cells('', '', '', `*${row.text}*`, '');
    case 'crossing':
      return cells(String(row.number), `**${row.step}**`, '', `**POINT OF NO RETURN**: ${row.needs}`, '');
    case 'step':
      return cells(String(row.number), row.step, row.where, row.does, row.undo);
  }
}

function cells(...texts: string[]): string {
  return `| ${texts.map((t) => t.replace(/\|/g, '\\|').replace(/\s*\n\s*/g, ' ')).join(' | ')} |`;
}
