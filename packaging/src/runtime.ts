import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from './host-program.ts';

/** Shared libraries that a host has anyway: glibc's and the compiler's. */
const USUAL = /^(lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s|atomic)\.so\.\d+|ld-linux-[\w-]+\.so\.\d+)$/;

/**
 * The Node that runs this build, without the symbols that only a debugger needs (those that addons link to stay).
 * @throws Error when it needs libraries that hosts may not have: some distributions build Node as a shared library.
 */
export async function copyRuntime(target: string): Promise<void> {
  const dynamic = await run('readelf', ['--dynamic', process.execPath]);
  const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = '']) => name);
  const unusual = needed.filter((name) => !USUAL.test(name));
  if (unusual.length > 0) {
    throw new Error(
      `${process.execPath} needs ${unusual.join(', ')}: package with a Node that stands alone (nodejs.org)`,
    );
  }
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(process.execPath, target);
  await run('strip', ['--strip-unneeded', target]);
  chmodSync(target, 0o755);
}

/** What the runtime asks of the host, in Debian's words: `libc6 (>= 2.34), ...`. */
export async function runtimeDepends(runtime: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-shlibs-'));
  try {
    // dpkg-shlibdeps wants to find itself in a source package.
    mkdirSync(join(folder, 'debian'));
    writeFileSync(join(folder, 'debian', 'control'), 'Source: signalbox\n\nPackage: signalbox\nArchitecture: any\n');
    const printed = await run('dpkg-shlibdeps', ['-O', `-e${runtime}`], { cwd: folder });
    return printed.replace('shlibs:Depends=', '').trim();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
