import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Cell, Verdict } from './matrix.ts';

const HEAD = [
  'runbook',
  'step',
  'host',
  'blow',
  'outcome',
  'as before',
  'changes made twice',
  'double signs',
  'validators at the end',
  's',
];
const RULE = ['---', '---', '---', '---', '---', '---', '---:', '---:', '---', '---:'];

/** The table as Markdown, a row a cell; written as it grows, and read again by whoever goes on. */
export class MatrixTable {
  readonly #file: string | undefined;
  readonly #played = new Set<string>();

  constructor(file?: string) {
    this.#file = file;
    const rows = file !== undefined && existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(RULES) : [];
    for (const row of rows) this.#played.add(row.split(' | ').slice(0, KEY).join(' | '));
    if (rows.length === 0) for (const cells of [HEAD, RULE]) this.#write(cells);
  }

  has(cell: Cell): boolean {
    return this.#played.has(line(keyOf(cell)).slice(0, -2));
  }

  add(cell: Cell, verdict: Verdict): void {
    const { outcome, doubles, doubleSigns, signing, seconds } = verdict;
    const words = outcome.replaceAll('|', '/').replaceAll('\n', ' ');
    this.#write([...keyOf(cell), words, asBefore(verdict), doubles, doubleSigns, signing.join(' ') || 'none', seconds]);
  }

  #write(cells: readonly (string | number)[]): void {
    process.stdout.write(`${line(cells)}\n`);
    if (this.#file !== undefined) appendFileSync(this.#file, `${line(cells)}\n`);
  }
}

/** Lines above the first cell, and columns that name one. */
const RULES = 2;
const KEY = 4;

const keyOf = ({ scene, step, host, blow }: Cell) => [scene.name, step, host, blow];
const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;

/** Only what was taken back is to be as it was. */
function asBefore({ outcome, changes }: Verdict): string {
  if (outcome !== 'rolled-back') return '';
  return changes.length === 0 ? 'yes' : `no: ${changes.join('; ')}`;
}

/** What no cell may be, whatever happened to it. */
export function isBroken({ outcome, changes, doubles, doubleSigns, signing }: Verdict): boolean {
  const notTakenBack = outcome === 'rolled-back' && changes.length > 0;
  return notTakenBack || doubles > 0 || doubleSigns > 0 || signing.length > 1;
}
