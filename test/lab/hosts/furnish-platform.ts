import { cpSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BACKEND_UNIT, backendUnit, releaseCode, writeBackend } from '../furnish-backend.ts';
import { DASHBOARD_CODE, DASHBOARD_UNIT, dashboardUnit, NPM, npmWrapper } from '../furnish-dashboard.ts';
import { furnishPip } from './furnish-pip.ts';
import { furnishProduction } from './furnish-production.ts';
import { furnishSecrets } from './furnish-secrets.ts';
import type { LabHost } from './lab-host.ts';
import { LAB_NODE, PROGRAMS_ON_HOST } from './plan.ts';

/** Where a host sees npm, below the lab's own programs. */
export const NPM_ON_HOST = 'npm';
/** The folder of this machine's npm, which is nothing but scripts. */
export const npmFolder = () => dirname(dirname(realpathSync(NPM)));

export const BACKEND_CODE = '/opt/r3mes/backend';
export const DASHBOARD_FOLDER = '/opt/r3mes/dashboard';
export const OLD_API = 'http://old.r3mes.io';
export const POSTGRES_UNIT = 'postgresql@15-main.service';

/** The backend's own database; one that is empty, and one with the newest schema and nobody in it. */
export const DATABASES = ['r3mes', 'staging', 'production'] as const;
export type Database = (typeof DATABASES)[number];
/** Where the host keeps the address of a database, for references. */
export const uriFile = (database: Database) => `/etc/r3mes/${database}-uri`;
export const REDIS_URI_FILE = '/etc/r3mes/staging-redis';
const uriOf = (database: Database) => `postgresql://r3mes:hunter2@127.0.0.1:5432/${database}`;

export const ENV_FILE = '/etc/r3mes/backend.env';
const ORIGIN = '/srv/r3mes-backend.git';
const [OLD, NEW] = ['002_add_indexes', '003_add_lora_serving_node'] as const;

/** Makes a host of the platform what its role says, with real programs. */
export async function furnishPlatform(host: LabHost): Promise<void> {
  if (host.plan.role === 'backend') await furnishBackend(host);
  if (host.plan.role === 'web') await furnishDashboard(host);
  if (host.plan.role === 'miner') await furnishPip(host);
}

/** PostgreSQL with some users in it, and the backend at release 0.9.0 with a later one where its code comes from. */
async function furnishBackend(host: LabHost): Promise<void> {
  await addUser(host);
  await host.run(['pg_dropcluster', '--stop', '15', 'main']);
  await host.run(['pg_createcluster', '--locale=C.UTF-8', '--start', '15', 'main']);
  const role = "CREATE ROLE r3mes LOGIN CREATEDB PASSWORD 'hunter2'";
  await psql(host, 'postgres', [role, ...DATABASES.map((name) => `CREATE DATABASE ${name} OWNER r3mes`)]);

  const [code, origin] = [join(host.root, BACKEND_CODE), join(host.root, ORIGIN)];
  for (const folder of [code, origin]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(code, { recursive: true });
  writeBackend(code, { version: '0.9.0', needs: [OLD] });
  releaseCode(code, [{ version: '1.0.0', needs: [NEW] }], { origin, url: ORIGIN });
  await host.run(['chown', '--recursive', 'r3mes:r3mes', BACKEND_CODE, ORIGIN]);
  await upgradeSchema(host, 'r3mes', OLD);
  await upgradeSchema(host, 'production', NEW);
  const users = "INSERT INTO users (wallet_address, credits) SELECT 'remes1' || i, i FROM generate_series(1, 50) i";
  await psql(host, uriOf('r3mes'), [users]);

  for (const name of DATABASES) host.put(uriFile(name), `${uriOf(name)}\n`, 0o600);
  host.put(REDIS_URI_FILE, 'redis://:hunter2@staging-redis:6379/0\n', 0o600);
  host.put(ENV_FILE, `DATABASE_URL=${uriOf('r3mes')}\nPORT=8000\nOLD_CORS_ORIGINS=https://app.r3mes.io\n`, 0o600);
  await install(host, BACKEND_UNIT, backendUnit(BACKEND_CODE, ENV_FILE));
  await furnishProduction(host, BACKEND_CODE);
  await furnishSecrets(host);
}

async function upgradeSchema(host: LabHost, database: Database, revision: string): Promise<void> {
  const asOwner = ['setpriv', '--reuid=r3mes', '--regid=r3mes', '--clear-groups'] as const;
  const env = ['env', `--chdir=${BACKEND_CODE}`, `DATABASE_URL=${uriOf(database)}`] as const;
  await host.run([...asOwner, ...env, 'alembic', 'upgrade', revision]);
}

/** What runs on it lives with the schema before and after the next release, as what is moved or migrated alone has to. */
export async function releaseForBothSchemas(host: LabHost): Promise<void> {
  host.put(join(BACKEND_CODE, 'NEEDS'), `${OLD}\n${NEW}\n`);
  await host.run(['systemctl', 'restart', BACKEND_UNIT]);
}

/** The dashboard, built on its host by npm with the values of where it belonged. */
async function furnishDashboard(host: LabHost): Promise<void> {
  await addUser(host);
  const npm = `${PROGRAMS_ON_HOST}/${NPM_ON_HOST}/bin/npm-cli.js`;
  host.put('/usr/local/bin/npm', npmWrapper(dirname(LAB_NODE), npm), 0o755);
  rmSync(join(host.root, DASHBOARD_FOLDER), { recursive: true, force: true });
  cpSync(DASHBOARD_CODE, join(host.root, DASHBOARD_FOLDER), { recursive: true });
  await host.run(['npm', '--prefix', DASHBOARD_FOLDER, 'ci', '--offline', '--no-audit', '--no-fund']);
  const built = ['env', `NEXT_PUBLIC_API_URL=${OLD_API}`] as const;
  await host.run([...built, 'npm', '--prefix', DASHBOARD_FOLDER, 'run', 'build']);
  await host.run(['chown', '--recursive', 'r3mes:r3mes', DASHBOARD_FOLDER]);
  await install(host, DASHBOARD_UNIT, dashboardUnit({ folder: DASHBOARD_FOLDER, port: 3000, node: LAB_NODE }));
}

/** Everything that a database holds. */
export const databaseContent = (host: LabHost, database: Database) =>
  host.run(['pg_dump', '--inserts', uriOf(database)]);

async function addUser(host: LabHost): Promise<void> {
  await host.run(['useradd', '--system', '--create-home', '--home-dir', '/home/r3mes', 'r3mes']);
}

async function psql(host: LabHost, database: string, statements: readonly string[]): Promise<void> {
  const commands = statements.flatMap((statement) => ['--command', statement]);
  await host.run(['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', 'psql', ...commands, database]);
}

async function install(host: LabHost, unit: string, text: string): Promise<void> {
  host.put(`/usr/lib/systemd/system/${unit}`, text);
  await host.run(['systemctl', 'daemon-reload']);
  await host.run(['systemctl', 'enable', '--now', unit]);
}
