// npm run lab:matrix [-- --runbook NAME --blow NAME --step ID]
// A run of a runbook for each of its steps and each blow to the host of that step, on a lab of its own; a table at the end.
import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { executions, foundAnew, MINERS, NODE_UPGRADE, NODES, upgradeTo, VALIDATOR_MOVE } from './chain.ts';
import { Lab } from './lab.ts';
import { LabRun } from './lab-run.ts';
import { BLOWS, type Blow, type Cell, idOf, play, type Verdict } from './matrix.ts';

const RUNBOOKS = {
  'validator-move': { runbook: VALIDATOR_MOVE, params: async () => ({ window: '4s' }) },
  'node-upgrade': { runbook: NODE_UPGRADE, params: (lab: Lab) => upgradeTo(lab, 'v1.0.0') },
} satisfies Record<string, Pick<Cell, 'runbook' | 'params'>>;
type Name = keyof typeof RUNBOOKS;
const NAMES = Object.keys(RUNBOOKS) as Name[];

const wishes = new Command('npm run lab:matrix --')
  .description('Plays runbooks with a blow to a host at each step, on a lab that is made for it; as root.')
  .addOption(new Option('--runbook <name...>').choices(NAMES).default(NAMES))
  .addOption(new Option('--blow <name...>').choices(BLOWS).default([...BLOWS]))
  .option('--step <id...>', 'only at these steps')
  .option('--out <file>', 'the table, as Markdown')
  .parse()
  .opts<{ runbook: Name[]; blow: Blow[]; step?: string[]; out?: string }>();

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Steps and their hosts, in the order in which a run without trouble comes to them. */
async function places(lab: Lab, name: Name): Promise<Pick<Cell, 'step' | 'host'>[]> {
  await foundAnew(lab);
  const { runbook, params } = RUNBOOKS[name];
  const run = await LabRun.start(lab, runbook, await params(lab));
  try {
    const outcome = await run.ended();
    if (outcome !== 'completed') throw new Error(`${run.id} without any blow is ${outcome}`);
  } finally {
    await run[Symbol.asyncDispose]();
  }
  const found = new Map<string, Pick<Cell, 'step' | 'host'>>();
  for (const event of run.events) {
    if (event.type !== 'StepStarted' || event.host === null) continue;
    const place = { step: idOf(event.step), host: event.host };
    found.set(`${place.step} ${place.host}`, place);
  }
  return [...found.values()].filter(({ step }) => wishes.step?.includes(step) ?? true);
}

const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
const table = [
  row([
    'runbook',
    'step',
    'host',
    'blow',
    'outcome',
    'changes made twice',
    'double signs',
    'validators at the end',
    's',
  ]),
  row(['---', '---', '---', '---', '---', '---:', '---:', '---', '---:']),
];
let broken = 0;

function tell(name: Name, { step, host, blow }: Cell, verdict: Verdict & { doubles: number }): void {
  const { outcome, doubles, doubleSigns, signing, seconds } = verdict;
  if (doubles > 0 || doubleSigns > 0 || signing.length > 1) broken += 1;
  table.push(row([name, step, host, blow, outcome, doubles, doubleSigns, signing.join(' ') || 'none', seconds]));
  say(table.at(-1) ?? '');
}

const lab = await Lab.up({ name: `m${process.pid}`, say });
try {
  for (const line of table) say(line);
  for (const name of wishes.runbook) {
    for (const place of await places(lab, name)) {
      for (const blow of wishes.blow) {
        const cell: Cell = { ...RUNBOOKS[name], ...place, blow };
        const verdict = await play(lab, cell);
        tell(name, cell, { ...verdict, doubles: executions(lab, [...NODES, ...MINERS]).doubles });
      }
    }
  }
} finally {
  await lab.down();
}
if (wishes.out !== undefined) writeFileSync(wishes.out, `${table.join('\n')}\n`);
process.exitCode = broken > 0 ? 1 : 0;
