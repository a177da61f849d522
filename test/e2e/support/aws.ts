import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePorts, requireReal, until } from '@signalbox/protocol/testing';
import { onTestFinished, vi } from 'vitest';
import { MOTO, MOTO_FOLDER, PYTHON, provideMoto, READ_SECRET, storeVariables } from '../../lab/moto.ts';

/** Whether there is an AWS Secrets Manager to test with: moto, which answers as the service does. */
export function realSecretsManager(): boolean {
  return requireReal(`${MOTO} (PyPI), or a Python that can install it`, provideMoto());
}

/** A store of secrets of this test's own. What is started from here on, agents included, is pointed at it. */
export async function secretsManagerOfTest(): Promise<SecretsManagerOfTest> {
  const [port = 0] = await freePorts(1);
  const server = spawn(PYTHON, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
    env: { ...process.env, PYTHONPATH: MOTO_FOLDER },
  });
  onTestFinished(() => end(server));
  const url = `http://127.0.0.1:${port}`;
  const environment = {
    // What a release needs that asks with Amazon's library.
    PYTHONPATH: MOTO_FOLDER,
    ...storeVariables(url),
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

/** Makes a secret as a person does. @returns the id of its version. */
export const makeSecret = (store: SecretsManagerOfTest, id: string, value: string): string =>
  askStore(store, 'c.create_secret(Name=sys.argv[1], SecretString=sys.argv[2])["VersionId"]', id, value);

/** @returns the id of the version that is current. */
export const currentVersion = (store: SecretsManagerOfTest, id: string): string =>
  askStore(store, 'c.get_secret_value(SecretId=sys.argv[1], VersionStage="AWSCURRENT")["VersionId"]', id);

function askStore({ environment }: SecretsManagerOfTest, expression: string, ...args: string[]): string {
  const program = `import boto3,sys\nc=boto3.client("secretsmanager")\nprint(${expression})`;
  return execFileSync(PYTHON, ['-c', program, ...args], { env: environment, encoding: 'utf8' }).trim();
}

/** As a person asks, with Amazon's own library. @returns what it holds, or the name of the exception. */
export function secretIn({ environment }: SecretsManagerOfTest, id: string): string {
  return execFileSync(PYTHON, ['-c', READ_SECRET, id], { env: environment, encoding: 'utf8' }).trim();
}
