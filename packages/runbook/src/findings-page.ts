import { FINDINGS, type FindingEntry } from './codes.ts';

const PARTS = [
  { title: 'SB1xx: the text', begins: 'SB1', about: 'Found before anything in the file is looked up.' },
  {
    title: 'SB2xx: names, references, types and hosts',
    begins: 'SB2',
    about: 'From SB230 on they are found when a plan is made, because they need the parameters or the mesh.',
  },
  {
    title: 'SB3xx: interlocking',
    begins: 'SB3',
    about: 'A runbook with one of these errors could be run in an unsafe order.',
  },
];

/** `docs/reference/findings.md`, made from the catalogue; a test compares the two. */
export function findingsReference(): string {
  const findings: [string, FindingEntry][] = Object.entries(FINDINGS);
  return [
    '# Findings',
    '',
    '<!-- Made from packages/runbook/src/codes/. Do not edit: `npx vitest run -u packages/runbook` writes it. -->',
    '',
    'What `signalbox check` and `signalbox plan` say about a runbook. An **error** stops `check`, `plan` and `start` (exit',
    'code 2); a **warning** is shown and counted. `signalbox explain SB301` prints one of them.',
    ...PARTS.flatMap(({ title, begins, about }) => [
      '',
      `## ${title}`,
      '',
      about,
      '',
      '| code | | what it means | what to do |',
      '| --- | --- | --- | --- |',
      ...findings.filter(([code]) => code.startsWith(begins)).map(([code, f]) => row(code, f)),
    ]),
    '',
  ].join('\n');
}

function row(code: string, { severity, means, next }: FindingEntry): string {
  return `| ${[code, severity, means, next].map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`;
}
