// The operating system's packages that tests need, in one place. As root on Debian (or a child of it) what is missing is
// installed and said; anywhere else it is only named, and the tests that need it say that they were skipped
// (with REQUIRE_REAL=1 such a skip is a failure).
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `present` decides, not the package's name: a Python that was installed in another way is as good. */
const NEEDED = [
  {
    name: 'python3',
    why: 'pip.install is tested against real virtual environments',
    present: ['python3', '--version'],
  },
  {
    name: 'python3-venv',
    why: 'tests make virtual environments, and Debian keeps that module apart',
    present: ['python3', '-c', 'import ensurepip, venv'],
  },
  {
    name: 'python3-pip',
    why: 'tests build the packages that they install, offline',
    present: ['python3', '-m', 'pip', '--version'],
  },
  {
    name: 'golang-go',
    why: 'programs are built by a real Go',
    present: ['go', 'version'],
  },
  {
    name: 'postgresql',
    why: 'databases are dumped, restored and migrated on a real PostgreSQL',
    present: ['sh', '-c', 'ls /usr/lib/postgresql/*/bin/initdb && command -v pg_dump'],
  },
  {
    name: 'alembic',
    why: 'schemas are migrated with a real Alembic',
    present: ['/usr/bin/alembic', '--version'],
  },
  {
    name: 'python3-psycopg2',
    why: 'Alembic and the backend of the tests reach PostgreSQL through it',
    present: ['/usr/bin/python3', '-c', 'import psycopg2'],
  },
  {
    name: 'systemd-container',
    why: 'the lab boots hosts with systemd-nspawn',
    present: ['systemd-nspawn', '--version'],
  },
  {
    name: 'debootstrap',
    why: 'the lab’s hosts are made from this machine’s package sources',
    present: ['debootstrap', '--version'],
  },
  {
    name: 'iproute2',
    why: 'the lab and the kill campaign have networks of their own',
    present: ['ip', '-Version'],
  },
  {
    name: 'dpkg-dev',
    why: 'npm run package asks it what the Node runtime needs of a host',
    present: ['dpkg-shlibdeps', '--version'],
  },
  {
    name: 'binutils',
    why: 'npm run package leaves out what only a debugger needs',
    present: ['strip', '--version'],
  },
  {
    name: 'wine64',
    why: 'tests of MongoDB use the Windows build of npm where there is no mongod on PATH',
    present: ['mongod', '--version'],
    orElse: ['/usr/lib/wine/wine64', '--version'],
  },
  {
    name: 'kubernetes-client',
    why: 'actions on Kubernetes are tested with the real kubectl',
    present: ['kubectl', 'version', '--client'],
  },
  {
    name: 'openjdk-17-jre-headless',
    why: 'the Kafka probes are tested against real brokers',
    present: ['java', '-version'],
  },
  {
    name: 'maven',
    why: 'Kafka itself comes from Maven Central',
    present: ['mvn', '--version'],
  },
  {
    name: 'git',
    why: 'code is checked out from real repositories',
    present: ['git', '--version'],
  },
  {
    name: 'nginx-light',
    why: 'requests are switched from one backend to another by a real nginx',
    present: ['/usr/sbin/nginx', '-v'],
  },
  {
    name: 'dnsmasq-base',
    why: 'a zone and the caches before it are asked by tests of DNS switches',
    present: ['/usr/sbin/dnsmasq', '--version'],
  },
  {
    name: 'prometheus-alertmanager',
    why: 'alerts are silenced in a real Alertmanager',
    present: ['/usr/bin/prometheus-alertmanager', '--version'],
  },
  {
    name: 'docker.io',
    why: 'containers are moved with a real Docker engine, which each test starts for itself',
    present: ['/usr/sbin/dockerd', '--version'],
  },
  {
    name: 'docker-compose',
    why: 'services of compose files are stopped and brought up',
    present: ['/usr/bin/docker-compose', 'version'],
  },
  {
    name: 'busybox-static',
    why: 'images of tests are made from it, so that none has to be fetched',
    present: ['/bin/busybox', 'true'],
  },
];

const LISTS = '/var/lib/apt/lists';
const LIST_AGE_MS = 24 * 60 * 60 * 1000;

const works = (argv) => spawnSync(argv[0], argv.slice(1), { stdio: 'ignore' }).status === 0;

function isDebian() {
  if (!existsSync('/etc/os-release')) return false;
  const release = readFileSync('/etc/os-release', 'utf8');
  return /^ID(_LIKE)?=.*debian/m.test(release) && works(['apt-get', '--version']);
}

/** Package lists that are missing or a day old name versions that the mirror may no longer have. */
function listsAreOld() {
  if (!existsSync(LISTS)) return true;
  const ages = readdirSync(LISTS)
    .filter((name) => name.includes('_Packages') || name.endsWith('InRelease'))
    .map((name) => Date.now() - statSync(join(LISTS, name)).mtimeMs);
  return ages.length === 0 || Math.min(...ages) > LIST_AGE_MS;
}

const POLICY = '/usr/sbin/policy-rc.d';

/** Tests start what they need by themselves, on loopback: packages that bring a service do not start it (policy-rc.d(8)). */
function withoutServices(call) {
  if (existsSync(POLICY)) return call();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return call();
  } finally {
    rmSync(POLICY, { force: true });
  }
}

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-q', ...args], { env, encoding: 'utf8' });
}

export function provideSystemPackages({ say, remark }) {
  const missing = NEEDED.filter(({ present, orElse }) => !works(present) && !(orElse && works(orElse)));
  if (missing.length === 0) {
    remark('the system has all packages that tests need');
    return;
  }
  const names = missing.map(({ name }) => name);
  if (!isDebian() || process.getuid?.() !== 0) {
    for (const { name, why } of missing) say(`missing on this system: ${name} (${why})`);
    say(`tests that need them are skipped; on Debian: sudo apt-get install ${names.join(' ')}`);
    return;
  }
  for (const { name, why } of missing) say(`installing the Debian package ${name}: ${why}`);
  if (listsAreOld()) apt(['update']);
  const done = withoutServices(() => apt(['install', '--yes', '--no-install-recommends', ...names]));
  if (done.status === 0) return;
  // Not the end: most tests do not need them, and those that do say so.
  say(`apt-get could not install ${names.join(' ')} (exit ${done.status}): ${lastLine(done.stderr)}`);
}

function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? '';
}
