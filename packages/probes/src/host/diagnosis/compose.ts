import { dirname, isAbsolute, join } from 'node:path';
import { type HostContext, isJsonObject, type Json, type JsonObject } from '@signalbox/protocol';
import { masked } from './masked.ts';
import { isThere } from './units.ts';

const LIMIT_MS = 8_000;
const FILES = ['docker-compose.yml', 'docker-compose.yaml', 'compose.yml', 'compose.yaml'];
const MOST_FILES = 5;
const MOST_SERVICES = 40;

/** What compose writes on the containers that it makes. */
export const COMPOSE_LABELS = ['com.docker.compose.project.working_dir', 'com.docker.compose.project.config_files'];

/** Files in these folders, and those that containers were made from. */
export async function composeFiles(folders: readonly string[], labels: readonly string[][]): Promise<string[]> {
  const inFolders = folders.filter(Boolean).flatMap((folder) => FILES.map((name) => join(folder, name)));
  const ofContainers = labels.flatMap(([folder = '', files = '']) =>
    files.split(',').map((file) => (isAbsolute(file) ? file : join(folder, file))),
  );
  const found = await Promise.all(
    [...new Set([...ofContainers, ...inFolders])].map(async (file) =>
      isAbsolute(file) && (await isThere(file)) ? [file] : [],
    ),
  );
  return found.flat().slice(0, MOST_FILES);
}

/**
 * What compose makes of a file. Only fields that are named here leave the host: environment, build arguments, labels and
 * commands hold values that nobody has looked at [I9].
 */
export async function composeConfig(context: HostContext, file: string): Promise<JsonObject> {
  const argv = [...(await programOf(context)), '--file', file, 'config'] as const;
  const { exitCode, stdout } = await context.exec(argv, { cwd: dirname(file), quiet: true, timeoutMs: LIMIT_MS });
  if (exitCode === undefined) return { problem: 'neither `docker compose` nor docker-compose answers' };
  // Its words repeat the line of the file that they are about.
  if (exitCode !== 0) return { problem: `compose refuses it; \`${argv.join(' ')}\` on the host says why` };
  const { parse } = await import('yaml');
  const config: Json = parse(stdout, { maxAliasCount: 0 });
  const services = Object.entries(objectIn(config, 'services')).slice(0, MOST_SERVICES);
  return Object.fromEntries(services.map(([name, service]) => [name, shownOf(isJsonObject(service) ? service : {})]));
}

async function programOf(context: HostContext): Promise<[string, ...string[]]> {
  const asked = await context.exec(['docker', 'compose', 'version'], { quiet: true, timeoutMs: 3_000 });
  return asked.exitCode === 0 ? ['docker', 'compose'] : ['docker-compose'];
}

function shownOf(service: JsonObject): JsonObject {
  const { image, build, ports, volumes } = service;
  const fields = {
    image: typeof image === 'string' ? masked(image) : '',
    build: isJsonObject(build) ? String(build.context ?? '') : '',
    ports: listed(ports, ({ published, target }) => `${published ?? ''}:${target}`),
    volumes: listed(volumes, ({ source, target }) => `${source ?? ''}:${target}`),
    needs: Object.keys(objectIn(service, 'depends_on')).join(', '),
    variables: Object.keys(objectIn(service, 'environment')).sort().join(','),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, text]) => text !== ''));
}

function listed(entries: Json | undefined, read: (entry: JsonObject) => string): string {
  const all = Array.isArray(entries) ? entries : [];
  return all.map((entry) => (isJsonObject(entry) ? read(entry) : String(entry))).join(', ');
}

function objectIn(value: Json | undefined, key: string): JsonObject {
  const inner = isJsonObject(value) ? value[key] : undefined;
  return isJsonObject(inner) ? inner : {};
}
