import { COMPOSE_FILE, runInContainer } from './furnish-docker.ts';
import { BACKEND_CODE, ENV_FILE, REDIS_URI_FILE, releaseForBothSchemas, uriFile } from './furnish-platform.ts';
import { AUTHORITY_FILE, openSite } from './furnish-production.ts';
import { openStore } from './furnish-secrets.ts';
import type { Lab } from './lab.ts';
import { QUICK, type Scene } from './scene.ts';

const hosts = ['backend-1'];
const CODE = { alembic: '/usr/bin/alembic', code: BACKEND_CODE };
const OWN = { uri: `file:${uriFile('r3mes')}` };
const STAGING = { uri: `file:${uriFile('staging')}` };
const PRODUCTION = { uri: `file:${uriFile('production')}` };
const PATIENT = { ...QUICK, patience: '1m' };
/** The next release, with the schema that it needs. */
export const RELEASE = { ...CODE, ...PATIENT, database: OWN, quietFor: '2s', revision: 'v1.0.0' };

const forBothSchemas = (lab: Lab) => releaseForBothSchemas(lab.host('backend-1'));
const API_KEYS = {
  name: 'api-key-hash',
  sql: 'ALTER TABLE users ADD COLUMN api_key_hash varchar(255); UPDATE users SET api_key_hash = md5(wallet_address)',
  undo: 'ALTER TABLE users DROP COLUMN api_key_hash',
  done: "SELECT count(*) = 1 FROM information_schema.columns WHERE column_name = 'api_key_hash'",
};

/** Everything else is where the runbook expects it. */
const CHECKED = {
  database: OWN,
  file: '/etc/r3mes/backend-green.env',
  api: 'api.r3mes.io',
  apiHost: '127.0.0.1',
  caFile: AUTHORITY_FILE,
  monitoring: 'http://127.0.0.1:9090/-/healthy',
};

export const BACKEND_SCENES: readonly Scene[] = [
  { name: 'backend-upgrade', hosts, params: async () => RELEASE },
  {
    name: 'backend-upgrade-docker',
    runbook: 'backend-upgrade',
    hosts,
    prepare: (lab) => runInContainer(lab.host('backend-1'), { code: BACKEND_CODE, env: ENV_FILE }),
    params: async () => ({ ...RELEASE, runs: 'docker', compose: COMPOSE_FILE }),
  },
  { name: 'env-standardise', hosts, params: async () => PATIENT },
  {
    name: 'database-migrate',
    hosts,
    prepare: forBothSchemas,
    params: async () => ({
      ...CODE,
      ...PATIENT,
      database: OWN,
      quietFor: '2s',
      statements: [API_KEYS],
      tables: ['users'],
    }),
  },
  {
    name: 'backend-move',
    hosts,
    prepare: forBothSchemas,
    params: async () => ({
      ...CODE,
      ...PATIENT,
      from: OWN,
      to: STAGING,
      redis: `file:${REDIS_URI_FILE}`,
      blockchainRpc: 'http://staging-node:26657',
      cors: 'https://staging.r3mes.io',
      checklist: false,
    }),
  },
  {
    name: 'users-move',
    hosts,
    params: async () => ({
      from: OWN,
      to: PRODUCTION,
      columns: ['wallet_address', 'credits', 'created_at'],
      file: '/srv/users.csv',
      quietFor: '2s',
    }),
  },
  {
    name: 'secrets-move',
    hosts,
    prepare: (lab) => openStore(lab.host('backend-1'), { code: BACKEND_CODE, env: ENV_FILE }),
    params: async () => PATIENT,
  },
  { name: 'production-checklist', hosts, params: async () => CHECKED },
  {
    name: 'production-cutover',
    hosts,
    prepare: (lab) => openSite(lab.host('backend-1'), BACKEND_CODE),
    params: async () => ({ ...CHECKED, ...PATIENT, enough: 20, checklist: false }),
  },
];
