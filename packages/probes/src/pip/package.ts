import { stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { type HostContext, isJsonObject } from '@signalbox/protocol';
import { asOwner } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { probeError } from '../codes.ts';
import { defineProbe } from '../contract.ts';
import { startedAtMs } from '../support/program.ts';
import { lookAtUnit, UnitName } from '../support/unit.ts';

const With = z.strictObject({
  venv: z.string().startsWith('/').describe('The virtual environment that the service runs from.'),
  requirement: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*$/, 'pinned, as in name==1.0.0')
    .describe('Pinned, as in `name==1.0.0`.'),
  unit: UnitName.describe('The unit whose running process is looked at.'),
});

/** Prints version and folder of a package's metadata, as Python itself finds them. Isolated: nothing of the user's is run. */
const ASK =
  'import importlib.metadata as m,json,sys;d=m.distribution(sys.argv[1]);print(json.dumps({"version":d.version,"folder":str(d._path)}))';

export const pipPackage = defineProbe<z.infer<typeof With>>({
  name: 'pip.package',
  version: 1,
  summary:
    'Which version of a package is installed, whether the environment is consistent, and whether the running process of a unit is that version.',
  schema: With,
  values: {
    version: { type: 'string', help: 'what is installed; absent when it is not' },
    asPinned: { type: 'boolean', help: 'whether that is the pinned version' },
    consistent: { type: 'boolean', help: 'whether `pip check` finds nothing' },
    running: {
      type: 'boolean',
      help: 'whether the main process of the unit runs from the environment and was started after the package was installed',
    },
  },

  async sample(context, { venv, requirement, unit }) {
    const [name = '', pinned] = requirement.split('==');
    const found = await installed(context, venv, name);
    const check = await ask(context, venv, ['pip', 'check', '--disable-pip-version-check']);
    const common = { consistent: check.exitCode === 0 };
    if (found === undefined) return { ...common, asPinned: false, running: false };
    const { exec, mainPid } = await lookAtUnit(context, unit);
    const runsHere = exec?.path.startsWith(venv + sep) === true && mainPid > 0;
    const running = runsHere && (await startedAtMs(mainPid)) > found.installedAtMs;
    return { ...common, version: found.version, asPinned: found.version === pinned, running };
  },
});

async function installed(context: HostContext, venv: string, name: string) {
  const { exitCode, stdout } = await ask(context, venv, ['python', '-I', '-c', ASK, name]);
  if (exitCode !== 0) return undefined;
  const said = JSON.parse(stdout);
  if (!isJsonObject(said) || typeof said.version !== 'string' || typeof said.folder !== 'string') return undefined;
  // Not the time of the last change, which may come out of the package: that of the entry on this disk.
  const { ctimeMs } = await stat(join(said.folder, 'METADATA'));
  return { version: said.version, installedAtMs: ctimeMs };
}

/** As the owner of the environment: what is in there is their code, and may be anything. */
async function ask(context: HostContext, venv: string, [program, ...words]: readonly [string, ...string[]]) {
  const path = join(venv, 'bin', program);
  const result = await context.exec(await asOwner(venv, [path, ...words]), { quiet: true, timeoutMs: 60_000 });
  if (result.exitCode === undefined) throw probeError('SB-PROBE-PIP', `${path} gave no answer`);
  return result;
}
