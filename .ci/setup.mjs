// Makes a fresh clone ready: checks Node, installs pnpm's packages through npm, builds. Plain Node without dependencies,
// because it runs before there are any. Every npm script that needs an installed tree calls it; when nothing has changed
// it costs a hash and an incremental build.
//
//   --quiet    says only what it really has to do
//   --system   also sees to the operating system's packages that tests need (see system-packages.mjs)
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pnpm, readJson, root } from './pnpm.mjs';
import { provideSystemPackages } from './system-packages.mjs';

const flags = new Set(process.argv.slice(2));
const quiet = flags.has('--quiet');
const stampFile = join(root, 'node_modules', '.signalbox-setup');

const say = (line) => process.stdout.write(`setup: ${line}\n`);
const remark = (line) => {
  if (!quiet) say(line);
};

/** Ends with the plain reason: a stack trace of this script helps nobody who only wanted to try the demo. */
function fail(reason, next) {
  process.stderr.write(`setup: ${reason}\n${next ? `       ${next}\n` : ''}`);
  process.exit(1);
}

function checkNode({ engines }) {
  const [wantMajor, wantMinor] = engines.node.replace('>=', '').split('.').map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  fail(
    `Node ${process.versions.node} is too old: Signalbox needs ${wantMajor}.${wantMinor} or newer.`,
    'Install a newer one (https://nodejs.org/en/download, or your distribution) and run this again.',
  );
}

/** What the installed tree depends on. Another Node may want other platform packages, so it belongs in as well. */
function installKey() {
  const hash = createHash('sha256');
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']) {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, file)))
      .update('\0');
  }
  return hash.update(`${process.platform} ${process.arch} ${process.versions.modules}`).digest('hex');
}

function installed(key) {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8').trim() === key;
}

function install() {
  const done = pnpm(['install', '--frozen-lockfile']);
  if (done.error) fail(`npm cannot be started: ${done.error.message}`, 'It comes with Node; is it on the PATH?');
  if (done.status !== 0) {
    process.stderr.write(`${done.stdout}${done.stderr}`);
    fail(`\`${done.command}\` failed (exit ${done.status}).`, 'The lines above are its own words.');
  }
}

function build() {
  const compiler = join(root, 'node_modules', '.bin', 'tsc');
  const done = spawnSync(compiler, ['-b'], { cwd: root, stdio: 'inherit' });
  if (done.status !== 0) fail('the build failed.', 'The lines above are the compiler’s.');
}

/** What has just been built says how. */
async function bundle() {
  const { bundlePrograms } = await import('../packaging/dist/programs.js');
  if (await bundlePrograms()) remark('bundled the programs as packages carry them, into dist/programs');
}

const manifest = readJson('package.json');
checkNode(manifest);

const key = installKey();
if (installed(key)) {
  remark('packages are installed as the lockfile says');
} else {
  say(`installing packages with ${manifest.packageManager} as the lockfile says`);
  install();
  writeFileSync(stampFile, `${key}\n`);
}

if (existsSync(join(root, 'test', 'dist'))) remark('building what has changed');
else say('building');
build();
await bundle();

if (flags.has('--system')) provideSystemPackages({ say, remark });
