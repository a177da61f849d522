import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@signalbox/protocol/crypto';
import { must } from './machine-program.ts';

/** What a host has that is not in Debian's smallest installation: an init, its bus, a network, and what people type with. */
const PACKAGES = ['systemd', 'systemd-sysv', 'dbus', 'iproute2', 'procps', 'man-db', 'bash-completion'];
/** What the backend of R3MES needs beside that, with what stands in front of it and around it; and what a miner is installed by. */
export const FOR_THE_PLATFORM = [
  ...['postgresql', 'python3', 'python3-psycopg2', 'alembic', 'git', 'nginx-light'],
  ...['python3-venv', 'docker.io', 'docker-compose', 'busybox-static'],
];

export const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'signalbox', 'lab');

/**
 * The folder that hosts are made from: Debian of this machine's own release with further packages, from this machine's own
 * package sources, made once. Whoever wants a newer one removes the folder.
 */
export async function provideImage(say: (line: string) => void, further: readonly string[] = []): Promise<string> {
  const { release, mirror } = await packageSource();
  const packages = [...PACKAGES, ...further];
  const key = sha256(JSON.stringify([release, packages])).slice(0, 12);
  const image = join(CACHE, `${release}-${key}`);
  if (existsSync(image)) return image;
  say(`making the image of a ${release} host in ${image}, once (a few minutes)`);
  mkdirSync(CACHE, { recursive: true });
  for (const name of readdirSync(CACHE)) {
    const [, maker] = /^making-(\d+)$/.exec(name) ?? [];
    if (maker !== undefined && !existsSync(`/proc/${maker}`)) rmSync(join(CACHE, name), { recursive: true });
  }
  const making = join(CACHE, `making-${process.pid}`);
  await must(['debootstrap', '--variant=minbase', `--include=${packages.join(',')}`, release, making, mirror]);
  // A host gets an identity of its own; systemd would keep the one that the installation made for all of them.
  writeFileSync(join(making, 'etc', 'machine-id'), '');
  rmSync(join(making, 'var', 'cache', 'apt', 'archives'), { recursive: true, force: true });
  // Somebody else may have made it meanwhile; theirs is as good.
  if (existsSync(image)) rmSync(making, { recursive: true });
  else renameSync(making, image);
  return image;
}

/** The release that this machine runs, and where its own apt gets that from. */
async function packageSource(): Promise<{ release: string; mirror: string }> {
  const [, release] = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8')) ?? [];
  if (release === undefined) throw new Error('/etc/os-release names no release');
  const targets = await must([
    'apt-get',
    'indextargets',
    '--format=$(REPO_URI) $(COMPONENT)',
    'Created-By: Packages',
    `Codename: ${release}`,
  ]);
  const [, mirror] = /^(\S+) main$/m.exec(targets) ?? [];
  if (mirror === undefined) throw new Error(`apt of this machine knows no source of ${release}`);
  return { release, mirror };
}
