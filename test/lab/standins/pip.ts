// `pip` of a virtual environment in the lab: the subcommands that a deployment uses, with pip's words and exit codes.
import { readFileSync } from 'node:fs';
import { leaveMark } from './mark.ts';
import { type Distribution, INDEX, installed, normalise, putIn, takeOut } from './venv.ts';

const TAKES_VALUE = [
  '-r',
  '--requirement',
  '-c',
  '--constraint',
  '-i',
  '--index-url',
  '--find-links',
  '-f',
  '--format',
  '--retries',
  '--timeout',
  '--cache-dir',
  '--report',
  '--progress-bar',
  '--root-user-action',
];

interface PipCall {
  command: string;
  words: string[];
  files: string[];
  options: Map<string, string>;
}

export function main(root: string, venv: string, argv: readonly string[] = process.argv.slice(2)): void {
  const call = parse(argv);
  leaveMark(root, ['install', 'uninstall'].includes(call.command), argv);
  process.exitCode = run(call, venv, root);
}

function parse(argv: readonly string[]): PipCall {
  const call: PipCall = { command: '', words: [], files: [], options: new Map() };
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [option = word, inline] = word.startsWith('--') ? word.split('=', 2) : [word];
    if (!word.startsWith('-')) {
      if (call.command === '') call.command = word;
      else call.words.push(word);
    } else if (TAKES_VALUE.includes(option)) {
      const value = inline ?? rest.shift() ?? '';
      if (option === '-r' || option === '--requirement') call.files.push(value);
      else call.options.set(option, value);
    } else call.options.set(option, inline ?? '');
  }
  return call;
}

function run(call: PipCall, venv: string, root: string): number {
  switch (call.command) {
    case 'freeze':
      return say(installed(venv).map(({ name, version }) => `${name}==${version}`));
    case 'list':
      return say([JSON.stringify(installed(venv))]);
    case 'show':
      return show(call, venv);
    case 'check':
      return say(['No broken requirements found.']);
    case 'install':
      return install(call, venv, root);
    case 'uninstall':
      return uninstall(call, venv);
    default:
      if (call.options.has('--version') || call.options.has('-V')) {
        return say([`pip 23.0.1 from ${venv}/lib/python3.11/site-packages/pip (python 3.11)`]);
      }
      return complain([`ERROR: unknown command "${call.command}"`]);
  }
}

function show({ words }: PipCall, venv: string): number {
  const found = installed(venv).filter(({ name }) => words.map(normalise).includes(name));
  if (found.length === 0) return complain([`WARNING: Package(s) not found: ${words.join(', ')}`]);
  return say(found.map(({ name, version }) => `Name: ${name}\nVersion: ${version}\nLocation: ${venv}`));
}

function install({ words, files, options }: PipCall, venv: string, root: string): number {
  const lines = [...words, ...files.flatMap(readRequirements)];
  const wanted: Distribution[] = [];
  for (const line of lines) {
    const found = resolve(line);
    if (!found) return complain(notFound(line));
    wanted.push(found);
  }
  const before = installed(venv);
  const changed = wanted.filter(({ name, version }) => !before.some((d) => d.name === name && d.version === version));
  const kept = wanted.filter((distribution) => !changed.includes(distribution));
  const said = kept.map(({ name, version }) => `Requirement already satisfied: ${name}==${version} in ${venv}`);
  if (options.has('--dry-run')) {
    return say([...said, ...wouldInstall('Would install', changed)]);
  }
  for (const distribution of changed) {
    const old = before.find(({ name }) => name === distribution.name);
    if (old) takeOut(venv, old);
    putIn(venv, distribution, root);
  }
  return say([...said, ...wouldInstall('Successfully installed', changed)]);
}

function wouldInstall(words: string, changed: readonly Distribution[]): string[] {
  if (changed.length === 0) return [];
  return [`${words} ${changed.map(({ name, version }) => `${name}-${version}`).join(' ')}`];
}

function uninstall({ words, files }: PipCall, venv: string): number {
  const names = [...words, ...files.flatMap(readRequirements)].map((line) => normalise(line.split('==')[0] ?? ''));
  for (const name of names) {
    const found = installed(venv).find((distribution) => distribution.name === name);
    if (!found) {
      process.stderr.write(`WARNING: Skipping ${name} as it is not installed.\n`);
      continue;
    }
    takeOut(venv, found);
    say([
      `Found existing installation: ${name} ${found.version}`,
      `  Successfully uninstalled ${name}-${found.version}`,
    ]);
  }
  return 0;
}

function readRequirements(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('-'));
}

/** `name==version`, or a bare name for the newest. */
function resolve(requirement: string): Distribution | undefined {
  const [rawName = '', version] = requirement.split('==').map((part) => part.trim());
  const name = normalise(rawName);
  const versions = INDEX[name] ?? [];
  const chosen = version ?? versions.at(-1);
  return chosen !== undefined && versions.includes(chosen) ? { name, version: chosen } : undefined;
}

function notFound(requirement: string): string[] {
  const versions = INDEX[normalise(requirement.split('==')[0] ?? '')] ?? [];
  return [
    `ERROR: Could not find a version that satisfies the requirement ${requirement} (from versions: ${versions.join(', ') || 'none'})`,
    `ERROR: No matching distribution found for ${requirement}`,
  ];
}

function say(lines: readonly string[]): number {
  for (const line of lines) process.stdout.write(`${line}\n`);
  return 0;
}

function complain(lines: readonly string[]): number {
  for (const line of lines) process.stderr.write(`${line}\n`);
  return 1;
}
