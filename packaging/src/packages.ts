import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCli } from '@signalbox/agent';
import { buildProgram, completionScript, SHELLS, type Shell } from '@signalbox/coordinator';
import type { Command } from 'commander';
import { bundle } from './bundle.ts';
import { type Compression, type Control, DebianTree } from './debian.ts';
import { run } from './host-program.ts';
import { copyrightText } from './licences.ts';
import { compressed, manualPage } from './manual.ts';
import { AGENT, COORDINATOR, type Program } from './programs.ts';
import { inRepository } from './repository.ts';
import { copyRuntime, runtimeDepends } from './runtime.ts';
import { sbomOf } from './sbom.ts';

export interface PackagesOptions {
  outDir: string;
  /** Default: that of the repository. */
  version?: string;
  /** `none` is quick to build and to install, for trying things out. */
  compression?: Compression;
  say?: (line: string) => void;
}

/** The packages that were built. */
export interface Packages {
  version: string;
  agent: string;
  signalbox: string;
}

interface Recipe {
  name: 'signalbox-agent' | 'signalbox';
  unit: string;
  /** Units that it brings along when it is started, and that stop after it. */
  others?: readonly string[];
  /** What its files in /etc/signalbox and its folder of state are called. */
  short: 'agent' | 'coordinator';
  program: Program;
  manual: { section: 1 | 8; program: (version: string) => Command; seeAlso: string[] };
  control: Pick<Control, 'summary' | 'description'>;
  more: (tree: DebianTree) => void;
}

const RECIPES: readonly Recipe[] = [
  {
    name: 'signalbox-agent',
    unit: 'signalbox-agent.service',
    others: ['signalbox-runner.socket', 'signalbox-runner.service'],
    short: 'agent',
    program: AGENT,
    manual: { section: 8, program: (version) => buildCli(version, () => {}), seeAlso: ['signalbox(1)'] },
    control: {
      summary: 'moves live systems across hosts: the agent on a host',
      description:
        'Carries out the steps of migrations on this host, samples probes and reports\nhealth. Brings its own Node.js runtime.',
    },
    more(tree) {
      const example = inRepository('packaging', 'files', 'signalbox-agent', 'policy.yaml');
      tree.copy(example, 'usr/share/doc/signalbox-agent/examples/policy.yaml');
    },
  },
  {
    name: 'signalbox',
    unit: 'signalbox-coordinator.service',
    short: 'coordinator',
    program: COORDINATOR,
    manual: { section: 1, program: commandLine, seeAlso: ['signalbox-agent(8)'] },
    control: {
      summary: 'moves live systems across hosts: coordinator and command line',
      description:
        'Leads runs of runbooks across hosts that have signalbox-agent, and lets operators\ncheck, plan, start, watch and undo them. Brings its own Node.js runtime.',
    },
    more(tree) {
      cpSync(inRepository('runbooks'), tree.at('usr/share/signalbox/runbooks'), {
        recursive: true,
        filter: (source) => !/\.test\.\w+$/.test(source),
      });
    },
  },
];

/** Where each shell of Debian looks for what packages bring. */
const COMPLETIONS: Readonly<Record<Shell, (name: string) => string>> = {
  bash: (name) => `usr/share/bash-completion/completions/${name}`,
  zsh: (name) => `usr/share/zsh/vendor-completions/_${name}`,
  fish: (name) => `usr/share/fish/vendor_completions.d/${name}.fish`,
};

function commandLine(version: string): Command {
  return buildProgram({ version, output: {}, go: async () => {} });
}

/** Builds both Debian packages from what the build left in `dist`. */
export async function buildPackages(options: PackagesOptions): Promise<Packages> {
  const { outDir, compression = 'xz', say = () => {} } = options;
  const version = options.version ?? versionOf(inRepository('package.json'));
  const epochSeconds = await sourceDate();
  const work = mkdtempSync(join(tmpdir(), 'signalbox-package-'));
  try {
    const runtime = join(work, 'node');
    await copyRuntime(runtime);
    const depends = [await runtimeDepends(runtime), 'systemd'];
    const files: string[] = [];
    for (const recipe of RECIPES) {
      const tree = new DebianTree(join(work, recipe.name));
      const packages = await fill(tree, recipe, { runtime, version });
      const root = nameIn(recipe.program.manifest);
      const sbom = await sbomOf({ name: recipe.name, version, root, packages, epochSeconds });
      tree.write(`usr/share/doc/${recipe.name}/sbom.cdx.json`, sbom);
      const control = { ...recipe.control, name: recipe.name, version, depends };
      const file = await tree.build(control, { outDir, compression, epochSeconds });
      writeFileSync(file.replace(/\.deb$/, '.cdx.json'), sbom);
      files.push(file);
      say(file);
    }
    const [agent = '', signalbox = ''] = files;
    return { version, agent, signalbox };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function fill(
  tree: DebianTree,
  recipe: Recipe,
  { runtime, version }: { runtime: string; version: string },
): Promise<string[]> {
  const { name, unit, others = [], short, manual } = recipe;
  const ours = (file: string) => inRepository('packaging', 'files', name, file);
  const home = `usr/lib/${name}`;
  const node = `${home}/bin/node`;
  const packages = await bundle({
    entries: recipe.program.entries,
    outDir: tree.at(`${home}/dist`),
    interpreter: `/${node}`,
  });
  tree.copy(runtime, node, 0o755);
  tree.write(`${home}/package.json`, `${JSON.stringify({ name, version, type: 'module' })}\n`);
  tree.link(`usr/bin/${name}`, `../lib/${name}/dist/main.js`);
  for (const file of [unit, ...others]) tree.copy(ours(file), `usr/lib/systemd/system/${file}`);
  tree.copy(ours('sysusers.conf'), `usr/lib/sysusers.d/${name}.conf`);
  tree.conffile(ours(`${short}.env`), `etc/signalbox/${short}.env`, 0o600);
  tree.copy(ours(`${short}.yaml`), `usr/share/doc/${name}/examples/${short}.yaml`);
  tree.write(`usr/share/doc/${name}/copyright`, copyrightText(packages));
  const program = manual.program(version);
  for (const shell of SHELLS) tree.write(COMPLETIONS[shell](name), completionScript(program, shell));
  const page = manualPage(program, { ...manual, version, files: filesOf(recipe) });
  tree.write(`usr/share/man/man${manual.section}/${name}.${manual.section}.gz`, compressed(page));
  recipe.more(tree);
  for (const script of ['postinst', 'prerm', 'postrm']) {
    const source = inRepository('packaging', 'files', 'common', script);
    tree.script(script, source, { PACKAGE: name, UNIT: unit, UNITS: [unit, ...others].join(' '), NAME: short });
  }
  return packages;
}

function filesOf({ name, short }: Recipe): [string, string][] {
  return [
    [`/etc/signalbox/${short}.yaml`, `Settings; an example is in /usr/share/doc/${name}/examples.`],
    [`/etc/signalbox/${short}.seed`, 'The key, readable by nobody else.'],
    [`/etc/signalbox/${short}.env`, 'Environment of the service.'],
    [`/var/lib/signalbox/${short}`, 'State. A purge of the package removes it.'],
  ];
}

function nameIn(manifest: string): string {
  const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name: string };
  return name;
}

function versionOf(manifest: string): string {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return version;
}

/** The time that all files get, so that the same sources give the same package: that of the last commit. */
async function sourceDate(): Promise<number> {
  const given = Number(process.env.SOURCE_DATE_EPOCH);
  if (Number.isInteger(given) && given > 0) return given;
  const committed = Number(await run('git', ['log', '-1', '--format=%ct'], { cwd: inRepository() }).catch(() => ''));
  return committed > 0 ? committed : Math.floor(Date.now() / 1_000);
}
