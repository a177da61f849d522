// `npm run chaos -- --kills N`: kills real programs while they work, and counts what became of the work.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Janitor } from '../lab/janitor.ts';
import { campaign } from './campaign.ts';
import { type Figures, report, totals } from './figures.ts';
import { cannotIsolate } from './isolation.ts';
import { readOptions } from './options.ts';

const options = readOptions(process.argv.slice(2));
const say = (line: string) => void process.stderr.write(`${line}\n`);

function summary(figures: Figures) {
  return { dir, seed: options.seed, ...totals(figures), violations: figures.violations };
}

const janitor = new Janitor();
const dir = mkdtempSync(join(tmpdir(), 'signalbox-chaos-'));
let { keep } = options;
janitor.add('folder', async () => {
  if (keep) say(`kept: ${dir}`);
  else rmSync(dir, { recursive: true, force: true });
});
janitor.onSignals();
try {
  say(`seed ${options.seed}; the same strikes again: npm run chaos -- --kills ${options.kills} --seed ${options.seed}`);
  const why = cannotIsolate();
  if (why !== undefined) say(`no disk is filled and no link is cut, this machine gives no namespaces: ${why}`);
  const figures = await campaign({ ...options, dir, isolated: why === undefined }, janitor);
  if (options.json) process.stdout.write(`${JSON.stringify(summary(figures))}\n`);
  else process.stdout.write(`${report(figures).join('\n')}\n`);
  // Journals, logs and what NATS stored say what happened; it may not happen again.
  if (figures.violations.length > 0) keep = true;
  process.exitCode = figures.violations.length === 0 ? 0 : 1;
} finally {
  await janitor.sweep();
}
