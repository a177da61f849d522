import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** For tests: the Python that virtual environments are made with; undefined where there is none with venv and pip. */
export async function findPython(): Promise<string | undefined> {
  for (const python of ['/usr/bin/python3', 'python3']) {
    const found = await run(python, ['-c', 'import venv, ensurepip, pip']).then(
      () => true,
      () => false,
    );
    if (found) return python;
  }
  return undefined;
}

export async function makeVenv(python: string, venv: string): Promise<void> {
  await run(python, ['-m', 'venv', venv]);
}

export interface Package {
  name: string;
  version: string;
  requires?: string[];
  /** Name of a program that prints the version. */
  program?: string;
  /** Python of the module; its `main` is the program. Left out: it prints the version. */
  code?: string;
}

/** Writes a wheel: a zip of a module and its dist-info (PEP 427), with Python's own zipfile. */
export async function makeWheel(python: string, folder: string, what: Package): Promise<void> {
  const { name, version, requires = [], program, code = `def main():\n    print("${version}")\n` } = what;
  const module = name.replaceAll('-', '_');
  const [tag, info] = [`${module}-${version}`, `${module}-${version}.dist-info`];
  const metadata = ['Metadata-Version: 2.1', `Name: ${name}`, `Version: ${version}`];
  const files: Record<string, string> = {
    [`${module}/__init__.py`]: code,
    [`${info}/METADATA`]: [...metadata, ...requires.map((line) => `Requires-Dist: ${line}`), ''].join('\n'),
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    ...(program && { [`${info}/entry_points.txt`]: `[console_scripts]\n${program} = ${module}:main\n` }),
  };
  files[`${info}/RECORD`] = `${[...Object.keys(files), `${info}/RECORD`].map((path) => `${path},,`).join('\n')}\n`;
  const tree = join(folder, `${tag}.tree`);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  }
  await run(python, ['-m', 'zipfile', '-c', join(folder, `${tag}-py3-none-any.whl`), module, info], { cwd: tree });
  await rm(tree, { recursive: true });
}
