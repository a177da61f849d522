import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { inRepository } from './repository.ts';

/** A program of ours, as the build leaves it: its entry points by the name that each gets, and where its version stands. */
export interface Program {
  entries: Readonly<Record<'main', string>> & Readonly<Record<string, string>>;
  manifest: string;
}

export const AGENT: Program = {
  entries: {
    main: inRepository('agent', 'dist', 'main.js'),
    keeper: inRepository('agent', 'dist', 'keeper.js'),
    messenger: inRepository('agent', 'dist', 'messenger.js'),
    challenge: inRepository('agent', 'dist', 'challenge.js'),
  },
  manifest: inRepository('agent', 'package.json'),
};

export const COORDINATOR: Program = {
  entries: {
    main: inRepository('coordinator', 'dist', 'main.js'),
    simulator: inRepository('packages', 'simulator', 'dist', 'main.js'),
  },
  manifest: inRepository('coordinator', 'package.json'),
};

const MADE = inRepository('dist', 'programs');

/**
 * Puts the programs into `dist/programs` as packages carry them, where tests and the demo start them from: of a command's time
 * half goes into looking for modules when each lies in a file of its own. Leaves them alone when nothing is newer.
 * @returns whether they were made anew.
 */
export async function bundlePrograms(): Promise<boolean> {
  if (existsSync(MADE) && newestPart() < statSync(MADE).mtimeMs) return false;
  mkdirSync(inRepository('dist'), { recursive: true });
  const work = mkdtempSync(`${MADE}-`);
  try {
    for (const [name, { entries, manifest }] of Object.entries({ agent: AGENT, coordinator: COORDINATOR })) {
      await bundle({ entries, outDir: join(work, name, 'dist'), interpreter: '/usr/bin/env node' });
      copyFileSync(manifest, join(work, name, 'package.json'));
    }
    chmodSync(work, 0o755);
    rmSync(MADE, { recursive: true, force: true });
    renameSync(work, MADE);
    return true;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** When the last of what programs are made of was changed: our own modules, a version, or the choice of others'. */
function newestPart(): number {
  const packages = readdirSync(inRepository('packages')).map((name) => join('packages', name));
  const folders = ['protocol', 'agent', 'coordinator', 'packaging', ...packages].map((name) =>
    inRepository(name, 'dist'),
  );
  const built = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.js'))
      .map((file) => join(folder, file)),
  );
  const chosen = [AGENT.manifest, COORDINATOR.manifest, inRepository('pnpm-lock.yaml')];
  return Math.max(...[...built, ...chosen].map((file) => statSync(file).mtimeMs));
}
