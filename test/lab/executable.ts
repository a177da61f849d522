import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The stand-ins as the build leaves them: the same files whether a test runs from its source or the demo from `dist`. */
const HERE = dirname(fileURLToPath(import.meta.url));
const BUILT = HERE.endsWith(join('dist', 'lab')) ? HERE : join(HERE, '..', 'dist', 'lab');

export function standinFile(name: string): string {
  return join(BUILT, 'standins', `${name}.js`);
}

/**
 * A tiny program for a host: the stand-in with what belongs to this copy baked in, so that it needs nothing from its
 * environment. Another version is another file with another checksum, as it is with real binaries.
 */
export function executableText(standin: string, args: readonly string[]): string {
  const module = JSON.stringify(pathToFileURL(standinFile(standin)).href);
  return [
    `#!${process.execPath}`,
    `// ${standin}: a stand-in for tests and the demo.`,
    `import(${module}).then(({ main }) => main(...${JSON.stringify(args)}));`,
    '',
  ].join('\n');
}

export function writeExecutable(path: string, standin: string, args: readonly string[]): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, executableText(standin, args), { mode: 0o755 });
}
