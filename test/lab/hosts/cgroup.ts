import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';

const MOUNT = '/sys/fs/cgroup';

/**
 * The hierarchies in which a host gets a group of its own: the unified one, and beside it systemd's named one where both are
 * mounted (systemd(1), "hybrid"). Two containers that started in one group would fight over it.
 */
export function hierarchies(): string[] {
  return [join(MOUNT, 'systemd'), join(MOUNT, 'unified'), MOUNT].filter(isWritable);
}

/** Those beside it in which an engine on a host makes groups for its containers: below the host's, and gone with it. */
function controllers(): string[] {
  const [first] = hierarchies();
  if (first === undefined || first === MOUNT) return [];
  // A group of cpuset takes nobody before it has been told of processors; engines do without it.
  const others = readdirSync(MOUNT).filter((name) => !['systemd', 'unified', 'cpuset'].includes(name));
  return others.map((name) => join(MOUNT, name)).filter(isWritable);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(join(folder, 'cgroup.procs'), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** One named group, in all hierarchies. */
export class ControlGroup {
  readonly folders: readonly string[];

  constructor(...path: string[]) {
    this.folders = [...hierarchies(), ...controllers()].map((root) => join(root, ...path));
  }

  make(): void {
    for (const folder of this.folders) mkdirSync(folder, { recursive: true });
  }

  /** The processes of a group below this one. */
  pids(...below: string[]): number[] {
    const file = join(this.folders[0] ?? MOUNT, ...below, 'cgroup.procs');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number);
  }

  /** All processes in it, at once and without a word (cgroup.kill): what a cut of the power does to a machine. */
  async kill(): Promise<void> {
    const unified = this.folders.map((folder) => join(folder, 'cgroup.kill')).find((file) => existsSync(file));
    if (unified !== undefined) writeFileSync(unified, '1');
    await until(`the processes in ${this.folders.join(' and ')} to be gone`, () => this.empty());
  }

  /** @throws Error when a process is left in it. */
  async remove(): Promise<void> {
    for (const folder of this.folders) {
      await until(`${folder} to be removed`, () => {
        try {
          removeTree(folder);
          return true;
        } catch (error) {
          // The kernel needs a moment after the last process.
          if (error instanceof Error && 'code' in error && error.code === 'EBUSY') return false;
          throw error;
        }
      });
    }
  }

  /** Others may have groups in it. */
  removeIfEmpty(): void {
    for (const folder of this.folders) if (existsSync(folder) && groupsIn(folder).length === 0) rmdirSync(folder);
  }

  empty(): boolean {
    return this.folders.every((folder) => allPids(folder).next().done);
  }
}

function* allPids(folder: string): Generator<number> {
  if (!existsSync(folder)) return;
  const file = join(folder, 'cgroup.procs');
  if (existsSync(file)) yield* readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number);
  for (const below of groupsIn(folder)) yield* allPids(below);
}

/** Files of a group go with it; only groups are removed, the innermost first. */
function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const below of groupsIn(folder)) removeTree(below);
  rmdirSync(folder);
}

function groupsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name));
}
