import { expect, it } from 'vitest';
import { diagnosisScreen } from './diagnosis.ts';

it('puts what one looks at first on one screen', () => {
  const values = {
    units: {
      'r3mes-backend.service': {
        activeState: 'failed',
        subState: 'failed',
        restarts: 5,
        program: '/usr/bin/python3',
        variables: '',
      },
      'ipfs.service': { activeState: 'active', subState: 'running', restarts: 0, variables: 'HOME,PATH' },
    },
    journal: { 'r3mes-backend.service': ['DATABASE_URL is not set'] },
    alembic: {
      '/opt/r3mes/backend': { current: '002', heads: '003', database: 'postgresql://r3mes:***@db/r3mes' },
      '/srv/a': { current: '003', heads: '003' },
      '/srv/b': { heads: '003', problem: 'no unit of this host names the database of /srv/b' },
    },
    compose: {
      '/opt/docker-compose.yml': { backend: { image: 'r3mes', variables: 'DATABASE_URL,PORT' }, db: { image: 'pg' } },
      '/opt/compose.yml': { problem: 'compose refuses it' },
    },
    disks: { '/': { sizeBytes: 10 * 2 ** 30, freeBytes: 2 ** 30 } },
    versions: { agent: 'signalbox 0.1.0', node: 'v20.19.0' },
    packages: { '/opt/venv': { alembic: '1.13.0', fastapi: '0.110.0' }, '/srv/venv': { problem: 'no answer' } },
    missing: { containers: 'no Docker engine answers, or it has none' },
  };
  expect(diagnosisScreen({ mesh: 'prod', host: 'backend-1', values }).join('\n')).toBe(`DIAGNOSE backend-1   mesh prod

units
  r3mes-backend.service  failed (failed)   restarts 5  /usr/bin/python3
  ipfs.service           active (running)  restarts 0  -

variables of ipfs.service
  HOME,PATH

schema
  /opt/r3mes/backend  at 002, the scripts lead to 003                    postgresql://r3mes:***@db/r3mes
  /srv/a              at 003, the newest
  /srv/b              the scripts lead to 003
  /srv/b              no unit of this host names the database of /srv/b

compose /opt/docker-compose.yml
  backend  image r3mes; variables DATABASE_URL,PORT
  db       image pg

compose /opt/compose.yml
  problem  compose refuses it

disks
  /  1.0 GiB of 10.0 GiB free

versions
  agent  signalbox 0.1.0
  node   v20.19.0

Python packages of /opt/venv
  alembic 1.13.0, fastapi 0.110.0

Python packages of /srv/venv
  problem no answer

last words of r3mes-backend.service
  DATABASE_URL is not set

could not be had
  containers  no Docker engine answers, or it has none`);
});
