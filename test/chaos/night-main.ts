// One night of a campaign, in a process of its own: `night-main WANTED FIGURES`, both JSON files.
import { readFileSync, writeFileSync } from 'node:fs';
import { Janitor } from '../lab/janitor.ts';
import { type NightOptions, night } from './night.ts';
import { furnishNamespaces } from './yard.ts';

const [wanted = '', figures = ''] = process.argv.slice(2);
const options: NightOptions = JSON.parse(readFileSync(wanted, 'utf8'));
const janitor = new Janitor();
janitor.onSignals();
try {
  if (options.isolated) furnishNamespaces();
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  writeFileSync(figures, JSON.stringify(await night(options, { janitor, say })));
} finally {
  await janitor.sweep();
}
