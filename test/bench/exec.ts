import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { Plan } from '@signalbox/protocol';
import type { ProcessMesh } from '../lab/mesh.ts';
import { PROGRAMS } from '../lab/programs.ts';
import { medianMs, type Row, type Skipped } from './figures.ts';
import type { RunToEnd } from './run-to-end.ts';

const run = promisify(execFile);
const CALLS = 15;
const ANSIBLE_CALLS = 5;

/** `true` on one host, as an operator types it, as a program asks for it, and as Ansible does it. */
export async function exec(
  mesh: ProcessMesh,
  { planOf, host, runToEnd }: { planOf: (steps: number) => Plan; host: string; runToEnd: RunToEnd },
): Promise<(Row | Skipped)[]> {
  const argv = [PROGRAMS.signalbox, '--config', mesh.operatorFile(), 'exec', '--hosts', host, '--', 'true'];
  const typed = await medianMs(CALLS, () => run(process.execPath, argv));
  const node = await medianMs(CALLS, () => run(process.execPath, ['-e', '0']));
  const asked = await medianMs(CALLS * 3, () => runToEnd(planOf(1)));
  return [
    { what: '`signalbox exec` of `true`, typed', unit: 'ms', value: typed, floor: node, note: 'floor: `node -e 0`' },
    { what: 'the same as a request, without the CLI', unit: 'ms', value: asked },
    await ansible(),
  ];
}

async function ansible(): Promise<Row | Skipped> {
  const what = '`ansible -m command -a true` on localhost, no ssh';
  if (spawnSync('ansible', ['--version']).status !== 0) return { what, skipped: 'Ansible is not installed here' };
  const interpreter = ['-e', 'ansible_python_interpreter={{ ansible_playbook_python }}'];
  const argv = ['localhost', '-i', 'localhost,', '-c', 'local', ...interpreter, '-m', 'command', '-a', 'true'];
  if (spawnSync('ansible', argv).status !== 0) return { what, skipped: 'Ansible is installed but does not work here' };
  return { what, unit: 'ms', value: await medianMs(ANSIBLE_CALLS, () => run('ansible', argv)) };
}
