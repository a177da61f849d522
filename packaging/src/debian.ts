import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './host-program.ts';

export interface Control {
  name: string;
  version: string;
  depends: readonly string[];
  /** One line, and the paragraph under it. */
  summary: string;
  description: string;
}

export type Compression = 'xz' | 'none';

/** A folder that becomes a Debian package: what stands at `usr/bin/x` in it lies at `/usr/bin/x` on the host. */
export class DebianTree {
  readonly root: string;
  readonly #conffiles: string[] = [];

  constructor(root: string) {
    this.root = root;
    // dpkg gives a host's folders the modes of the package's, and the builder's umask must not be among them.
    for (const folder of ['', 'DEBIAN']) this.#folder(folder);
  }

  /** @param mode 0644 when it is left out. */
  write(path: string, content: string | Buffer, mode = 0o644): void {
    this.#folder(dirname(path));
    writeFileSync(join(this.root, path), content);
    chmodSync(join(this.root, path), mode);
  }

  copy(source: string, path: string, mode = 0o644): void {
    this.write(path, readFileSync(source), mode);
  }

  /** Belongs to the administrator: an upgrade keeps what they have written, and only a purge removes it. */
  conffile(source: string, path: string, mode = 0o644): void {
    this.copy(source, path, mode);
    this.#conffiles.push(`/${path}`);
  }

  link(path: string, target: string): void {
    this.#folder(dirname(path));
    symlinkSync(target, join(this.root, path));
  }

  /** A path in the tree, in a folder that is there. */
  at(path: string): string {
    this.#folder(dirname(path));
    return join(this.root, path);
  }

  /** Runs on the host around an installation (deb-postinst(5) and its like). `@NAME@` is replaced by `values.NAME`. */
  script(name: string, source: string, values: Readonly<Record<string, string>>): void {
    const text = readFileSync(source, 'utf8').replaceAll(/@([A-Z]+)@/g, (_, key: string) => {
      const value = values[key];
      if (value === undefined) throw new Error(`${source} wants @${key}@`);
      return value;
    });
    this.write(`DEBIAN/${name}`, text, 0o755);
  }

  /** @returns the path of the package in `outDir`. The same tree gives the same bytes when SOURCE_DATE_EPOCH is the same. */
  async build(
    { name, version, depends, summary, description }: Control,
    { outDir, compression, epochSeconds }: { outDir: string; compression: Compression; epochSeconds: number },
  ): Promise<string> {
    if (this.#conffiles.length > 0) this.write('DEBIAN/conffiles', `${this.#conffiles.join('\n')}\n`);
    const architecture = await run('dpkg', ['--print-architecture']);
    const size = await run('du', ['--summarize', '--apparent-size', '--block-size=1024', this.root]);
    const fields = {
      Package: name,
      Version: version,
      Architecture: architecture,
      Maintainer: 'The Signalbox authors <signalbox@localhost>',
      'Installed-Size': size.split('\t')[0] ?? '0',
      Depends: depends.join(', '),
      Section: 'admin',
      Priority: 'optional',
      Description: `${summary}\n ${description.replaceAll('\n', '\n ')}`,
    };
    const control = Object.entries(fields).map(([key, value]) => `${key}: ${value}\n`);
    this.write('DEBIAN/control', control.join(''));
    mkdirSync(outDir, { recursive: true });
    const file = join(outDir, `${name}_${version}_${architecture}.deb`);
    // Level 1 of xz takes a fifth of the time of the default one for a tenth more bytes.
    const packing = compression === 'xz' ? ['-Zxz', '-z1'] : ['-Znone'];
    const env = { SOURCE_DATE_EPOCH: String(epochSeconds) };
    await run('dpkg-deb', ['--root-owner-group', ...packing, '--build', this.root, file], { env });
    return file;
  }

  #folder(path: string): void {
    if (path !== '' && path !== '.') this.#folder(dirname(path));
    mkdirSync(join(this.root, path), { recursive: true });
    chmodSync(join(this.root, path), 0o755);
  }
}
