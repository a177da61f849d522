import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import {
  ALEMBIC_PROGRAM,
  findPostgres,
  LocalHost,
  RealPostgres,
  requireReal,
  StandInUnits,
  writeAlembicScripts,
} from '@signalbox/protocol/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { probeByName } from '../catalogue.ts';

const withAlembic =
  requireReal('PostgreSQL (Debian: postgresql)', findPostgres() !== undefined) &&
  requireReal('Alembic (Debian: alembic python3-psycopg2)', existsSync(ALEMBIC_PROGRAM));
const withCompose = requireReal('docker-compose (Debian: docker-compose)', existsSync('/usr/bin/docker-compose'));

let host: LocalHost;
let folder: string;
beforeEach(async () => {
  host = await LocalHost.create();
  folder = host.file('backend');
  await mkdir(folder);
  // No engine of this machine is asked.
  await host.program('docker', 'exit 1');
  return () => host[Symbol.asyncDispose]();
});

/** A unit whose code is in the folder and that does not run, which is when somebody looks. */
async function unit(variables: string, more: Record<string, string> = {}): Promise<void> {
  const file = await host.write('backend.env', variables);
  const properties = { WorkingDirectory: folder, EnvironmentFiles: `${file} (ignore_errors=no)`, ...more };
  await (await new StandInUnits(host).install()).add('r3mes-backend.service', properties);
}

async function diagnosis() {
  const input = { units: ['r3mes-backend.service'], folders: [folder], lines: 0 };
  const values = (await probeByName.get('host.diagnosis')?.sample(host, input)) ?? {};
  expect(JSON.stringify(values)).not.toContain('hunter2');
  return values;
}

describe.skipIf(!withAlembic)('the schema in a diagnosis, with a real Alembic on a real PostgreSQL', () => {
  it('[T13] [I9] says where the database of the unit stands and where the scripts lead, without its password', async () => {
    const server = await RealPostgres.start();
    onTestFinished(() => server[Symbol.asyncDispose]());
    // What setpriv, which is root, would obey must not come from the service.
    writeAlembicScripts(folder, { url: "'none' if 'LD_PRELOAD' in os.environ else os.environ['DATABASE_URL']" });
    const env = { DATABASE_URL: server.uri('postgres') };
    await unit(`DATABASE_URL='${env.DATABASE_URL}'\nLD_PRELOAD=/none.so\n`);
    const upgraded = await host.exec([ALEMBIC_PROGRAM, 'upgrade', '002_add_indexes'], { cwd: folder, env });
    expect(upgraded.exitCode, upgraded.stderr).toBe(0);
    const { alembic } = await diagnosis();
    expect(alembic).toEqual({
      [folder]: {
        current: '002_add_indexes',
        heads: '003_add_lora_serving_node',
        database: `postgresql://***@127.0.0.1:${server.port}/postgres`,
      },
    });
    expect(JSON.stringify([alembic, host.started])).not.toMatch(/p@ss|p%40ss/);
  });

  it('[I9] has the heads where no unit names a database, and what Alembic says where it is refused', async () => {
    writeAlembicScripts(folder);
    await unit('PORT=8000\n');
    expect((await diagnosis()).alembic).toEqual({
      [folder]: { heads: '003_add_lora_serving_node', problem: `no unit of this host names the database of ${folder}` },
    });
    await unit('DATABASE_URL=nonsense hunter2 //\n');
    expect((await diagnosis()).alembic).toEqual({
      [folder]: {
        heads: '003_add_lora_serving_node',
        problem: expect.stringMatching(/^alembic current: .*parse.* URL from string '\*\*\*'/),
      },
    });
  });
});

const COMPOSE = `version: "3.8"
services:
  backend:
    build: { context: ., args: { NPM_TOKEN: hunter2 } }
    image: r3mes-backend:latest
    command: ["serve", "--token", "hunter2"]
    labels: { note: hunter2 }
    env_file: .env
    environment: ["DATABASE_URL=postgresql://u:hunter2@db/x", "PORT=8000"]
    ports: ["8000:8000"]
    volumes: ["./:/app"]
    depends_on: [db]
  db:
    image: postgres:15
`;

describe.skipIf(!withCompose)('compose files in a diagnosis, read by the real docker-compose', () => {
  it('[I9] are shown as compose understands them, with the names of variables and nothing that could be a secret', async () => {
    await host.write('backend/docker-compose.yml', COMPOSE);
    await host.write('backend/.env', 'JWT_SECRET=hunter2\n');
    await unit('');
    expect((await diagnosis()).compose).toEqual({
      [`${folder}/docker-compose.yml`]: {
        backend: {
          image: 'r3mes-backend:latest',
          build: folder,
          ports: '8000:8000',
          volumes: `${folder}:/app:rw`,
          needs: 'db',
          variables: 'DATABASE_URL,JWT_SECRET,PORT',
        },
        db: { image: 'postgres:15' },
      },
    });
  });

  it('[I9] that compose refuses are named, without its words, which repeat the line', async () => {
    await host.write('backend/compose.yml', 'services: { a: { image: x, environment: { A: "$' + '{hunter2" } } }\n');
    await unit('');
    expect((await diagnosis()).compose).toEqual({
      [`${folder}/compose.yml`]: { problem: expect.stringMatching(/^compose refuses it; `docker-compose --file/) },
    });
  });
});

it('the Python packages of the environment that a unit runs from are listed', async () => {
  const venv = host.file('backend', 'venv');
  const made = await host.exec(['python3', '-m', 'venv', '--without-pip', venv]);
  expect(made.exitCode, made.stderr).toBe(0);
  const { stdout } = await host.exec([`${venv}/bin/python`, '-c', 'import site;print(site.getsitepackages()[0])']);
  const info = `${stdout.trim().slice(host.dir.length + 1)}/fastapi-0.110.0.dist-info/METADATA`;
  await host.write(info, 'Metadata-Version: 2.1\nName: fastapi\nVersion: 0.110.0\n');
  await unit('', { ExecStart: `{ path=${venv}/bin/uvicorn ; argv[]=${venv}/bin/uvicorn ; ignore_errors=no }` });
  expect((await diagnosis()).packages).toEqual({ [venv]: { fastapi: '0.110.0' } });
});
