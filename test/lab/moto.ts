import { spawnSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** An AWS Secrets Manager to test with: it answers as the service does. */
export const MOTO = 'moto[server]==5.1.17';
/** Kept from test to test. With it on PYTHONPATH, Debian's Python is moto and boto3 as well. */
export const MOTO_FOLDER = join(homedir(), '.cache', 'signalbox', 'moto-5.1.17');
export const PYTHON = '/usr/bin/python3';

/** Whether it is there, or could be installed. */
export const provideMoto = (): boolean => works() || installed();

const works = () => answers(['-c', 'import moto, boto3, flask']);

function answers(argv: string[]): boolean {
  const env = { ...process.env, PYTHONPATH: MOTO_FOLDER };
  return spawnSync(PYTHON, argv, { stdio: 'ignore', env }).status === 0;
}

/** Beside, then renamed: a folder that is there is whole. */
function installed(): boolean {
  const part = `${MOTO_FOLDER}.${process.pid}`;
  rmSync(MOTO_FOLDER, { recursive: true, force: true });
  const quiet = ['--quiet', '--no-input', '--no-compile', '--target', part];
  const done = spawnSync(PYTHON, ['-m', 'pip', 'install', ...quiet, MOTO], { stdio: 'ignore' }).status === 0;
  if (done) renameSync(part, MOTO_FOLDER);
  return done && works();
}

/** As a person asks, with Amazon's own library: prints what a secret holds, or the name of the exception. */
export const READ_SECRET = [
  'import boto3,sys',
  'c=boto3.client("secretsmanager")',
  'try: print(c.get_secret_value(SecretId=sys.argv[1],VersionStage="AWSCURRENT")["SecretString"])',
  'except c.exceptions.ResourceNotFoundException as e: print(type(e).__name__)',
].join('\n');

/** What a program needs that is to ask a store at this address; Amazon's own needs no more than its address elsewhere. */
export const storeVariables = (url: string) => ({
  AWS_ENDPOINT_URL: url,
  AWS_REGION: 'eu-central-1',
  AWS_DEFAULT_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_EC2_METADATA_DISABLED: 'true',
});
