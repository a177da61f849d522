import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BACKEND_UNIT, type BackendSandbox } from './furnish-backend.ts';

/** What the backend's image is called; a build moves the name to another image. */
export const BACKEND_IMAGE = 'r3mes-backend:latest';
/** What its Dockerfile builds on; whoever runs the engine makes it. */
export const BASE_IMAGE = 'r3mes-base:1';

/**
 * Has a backend run as a service of compose instead of a unit, before its code becomes a clone: its image is built from the
 * code, which the container mounts as well.
 * @returns the compose file, which is part of the code.
 */
export function runByCompose({ sandbox, folder, envFile }: BackendSandbox): string {
  rmSync(join(sandbox.paths.wants, BACKEND_UNIT));
  writeFileSync(join(folder, 'Dockerfile'), `FROM ${BASE_IMAGE}\nCOPY VERSION /release\n`);
  const file = join(folder, 'docker-compose.yml');
  writeFileSync(file, composeFile(envFile));
  return file;
}

/** Without networks of its own, as the engines of tests are. Python is the machine's. */
const composeFile = (envFile: string) => `version: "3"
services:
  backend:
    image: ${BACKEND_IMAGE}
    build: .
    network_mode: host
    restart: always
    env_file: ${envFile}
    command: ["/usr/bin/python3", "-B", "/code/server.py"]
    stop_signal: SIGKILL
    volumes: ["/usr:/usr:ro", ".:/code"]
`;
