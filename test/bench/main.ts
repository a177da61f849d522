// `npm run bench`: what Signalbox costs, beside the least that it could cost, measured in the same run.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { until } from '@signalbox/protocol/testing';
import { Janitor } from '../lab/janitor.ts';
import { ProcessMesh } from '../lab/mesh.ts';
import { Operator } from '../lab/operator.ts';
import { exec } from './exec.ts';
import { missOf, type Row, type Skipped } from './figures.ts';
import { FLOOR_HOST, type Floor, openFloor } from './floor.ts';
import { idleAgent } from './idle-agent.ts';
import { logFold } from './log-fold.ts';
import { pinned, planOfTrue } from './plans.ts';
import { proofs } from './proofs.ts';
import { runsToEnd } from './run-to-end.ts';
import { sealing } from './sealing.ts';
import { stepOverhead } from './step-overhead.ts';
import { table } from './table.ts';

const MESH = 'bench';
const HOST = 'box';
/** In memory: there systemd puts what the agent's unit asks for with `RuntimeDirectory=`. */
const MEMORY = '/dev/shm';

async function measure(dir: string, janitor: Janitor, say: (line: string) => void) {
  const runtime = mkdtempSync(join(MEMORY, 'signalbox-bench-'));
  janitor.add('runtime folder', async () => rmSync(runtime, { recursive: true, force: true }));
  const launch = (daemon: string) => (daemon === HOST ? { env: { RUNTIME_DIRECTORY: runtime } } : {});
  const options = { name: MESH, dir, hosts: [{ name: HOST }], enrolled: [FLOOR_HOST], launch };
  const mesh = await ProcessMesh.start(options, janitor);
  const operator = await Operator.connect(mesh, janitor);
  const host = await until('the agent to be heard', async () => {
    const { hosts } = await operator.ask('hosts', {}).catch(() => ({ hosts: [] }));
    return hosts.find(({ name, health }) => name === HOST && health !== undefined);
  });
  const planOf = (steps: number) => planOfTrue(MESH, [pinned(host)], steps);

  // First, while the agent is as it starts: nothing has been asked of it yet.
  say('the agent at rest, three quarters of a minute');
  const rows: (Row | Skipped)[] = await idleAgent(mesh.pidOf(HOST));
  say('steps, and the floor between them');
  const runToEnd = await runsToEnd(operator, mesh, janitor);
  const meter = await openFloor(mesh);
  const steps = await stepOverhead(runToEnd, planOf, meter);
  await meter.close();
  rows.unshift(...steps.rows);
  say('exec');
  rows.push(...(await exec(mesh, { planOf, host: HOST, runToEnd })));
  say('a long log');
  rows.push(...(await logFold(mesh, planOf)));
  say('sealing');
  rows.push(...(await sealing()), ...(await proofs()));
  return {
    rows,
    floor: steps.floor,
    machine: { node: process.version, cpu: cpus()[0]?.model ?? '', cpus: cpus().length },
  };
}

function print({
  rows,
  floor,
  machine,
}: {
  rows: (Row | Skipped)[];
  floor: Floor;
  machine: Record<string, unknown>;
}): void {
  const parts = Object.entries(floor).map(([name, ms]) => `${name} ${ms.toFixed(2)}`);
  process.stdout.write(
    `${[...table(rows), '', `floor of a step, ms: ${parts.join(', ')}`, `on ${Object.values(machine).join(', ')} cores`].join('\n')}\n`,
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const janitor = new Janitor();
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  janitor.add('folder', async () => rmSync(dir, { recursive: true, force: true }));
  janitor.onSignals();
  try {
    const measured = await measure(dir, janitor, (line) => process.stderr.write(`measuring ${line} ...\n`));
    if (values.json) process.stdout.write(`${JSON.stringify(measured)}\n`);
    else print(measured);
    process.exitCode = measured.rows.some((row) => !('skipped' in row) && missOf(row) !== undefined) ? 1 : 0;
  } finally {
    await janitor.sweep();
  }
}

await main();
