import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { freePorts, requireReal, until } from '@signalbox/protocol/testing';
import { onTestFinished, vi } from 'vitest';

/** Kept from test to test. With it on PYTHONPATH, Debian's Python is moto and boto3 as well. */
const FOLDER = join(homedir(), '.cache', 'signalbox', 'moto-5.1.17');
const MOTO = 'moto[server]==5.1.17';
const PYTHON = '/usr/bin/python3';

/** Whether there is an AWS Secrets Manager to test with: moto, which answers as the service does. */
export function realSecretsManager(): boolean {
  return requireReal(`${MOTO} (PyPI), or a Python that can install it`, works() || installed());
}

const works = () => answers(['-c', 'import moto, boto3, flask']);

function answers(argv: string[]): boolean {
  const env = { ...process.env, PYTHONPATH: FOLDER };
  return spawnSync(PYTHON, argv, { stdio: 'ignore', env }).status === 0;
}

/** Beside, then renamed: a folder that is there is whole. */
function installed(): boolean {
  const part = `${FOLDER}.${process.pid}`;
  rmSync(FOLDER, { recursive: true, force: true });
  const quiet = ['--quiet', '--no-input', '--no-compile', '--target', part];
  const done = spawnSync(PYTHON, ['-m', 'pip', 'install', ...quiet, MOTO], { stdio: 'ignore' }).status === 0;
  if (done) renameSync(part, FOLDER);
  return done && works();
}

/** A store of secrets of this test's own. What is started from here on, agents included, is pointed at it. */
export async function secretsManagerOfTest(): Promise<SecretsManagerOfTest> {
  const [port = 0] = await freePorts(1);
  const server = spawn(PYTHON, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
    env: { ...process.env, PYTHONPATH: FOLDER },
  });
  onTestFinished(() => end(server));
  const url = `http://127.0.0.1:${port}`;
  const environment = {
    // What a release needs that asks with Amazon's library.
    PYTHONPATH: FOLDER,
    ...{ AWS_ENDPOINT_URL: url, AWS_REGION: 'eu-central-1', AWS_DEFAULT_REGION: 'eu-central-1' },
    ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_EC2_METADATA_DISABLED: 'true' },
  };
  for (const [name, value] of Object.entries(environment)) if (name !== 'PYTHONPATH') vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  await until(
    'moto to answer',
    () =>
      fetch(url).then(
        () => true,
        () => false,
      ),
    { timeoutMs: 30_000 },
  );
  return { environment };
}

export interface SecretsManagerOfTest {
  environment: Record<string, string>;
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'exit');
  server.kill('SIGTERM');
  await gone;
}

/** As a person asks, with Amazon's own library. @returns what it holds, or the name of the exception. */
export function secretIn({ environment }: SecretsManagerOfTest, id: string): string {
  const code = [
    'import boto3,sys',
    'c=boto3.client("secretsmanager")',
    'try: print(c.get_secret_value(SecretId=sys.argv[1])["SecretString"])',
    'except c.exceptions.ResourceNotFoundException as e: print(type(e).__name__)',
  ].join('\n');
  return execFileSync(PYTHON, ['-c', code, id], { env: environment, encoding: 'utf8' }).trim();
}
