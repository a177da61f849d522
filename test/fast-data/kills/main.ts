// npm run fast-data:kills [-- --stage NAME --step ID --victim NAME --out FILE --lanes N]
// Cutovers in which somebody is killed at every step, until everybody who works on it was killed at each of them; a table.
// What stands in `--out` is not played again, so a campaign goes on where it was ended.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { Janitor } from '../../lab/janitor.ts';
import { Campaign } from './campaign.ts';
import { STAGES, type StageName } from './stages.ts';
import { HEAD, isGood, print, type Row, read, summary } from './table.ts';

const NAMES = Object.keys(STAGES) as StageName[];

const wishes = new Command('npm run fast-data:kills --')
  .description('Moves MongoDB and Kafka between real servers, and kills somebody at each step.')
  .addOption(new Option('--stage <name...>').choices(NAMES).default(['mongodb', 'kafka']))
  .option('--victim <name...>', 'only these; `nobody` is the run without a kill')
  .option('--step <id...>', 'only at these steps')
  .option('--out <file>', 'the table, as Markdown; kills that are in it are not played again')
  .addOption(
    new Option('--lanes <number>', 'runs at the same time, each in a world of its own').argParser(Number).default(1),
  )
  .parse()
  .opts<{ stage: StageName[]; victim?: string[]; step?: string[]; out?: string; lanes: number }>();

const { out } = wishes;
const say = (line: string) => void process.stdout.write(`${line}\n`);
const rows: Row[] = out !== undefined && existsSync(out) ? read(readFileSync(out, 'utf8')) : [];
if (out !== undefined && rows.length === 0) appendFileSync(out, `${HEAD.join('\n')}\n`);

const janitor = new Janitor();
janitor.onSignals();
try {
  const tell = (row: Row) => {
    if (out !== undefined) appendFileSync(out, `${print(row)}\n`);
    say(print(row));
  };
  const campaign = new Campaign(
    { ...wishes, rows, tell, say: (line) => void process.stderr.write(`${line}\n`) },
    janitor,
  );
  for (const line of HEAD) say(line);
  for (const name of wishes.stage) await campaign.play(name);
  for (const line of summary(rows)) say(line);
  process.exitCode = rows.every(isGood) ? 0 : 1;
} finally {
  await janitor.sweep();
}
