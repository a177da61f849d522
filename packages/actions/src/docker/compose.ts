import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type HostContext, isJsonObject, type JsonObject } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { answer, findProgram, succeed } from '../support/exec.ts';
import { HostPath } from '../support/files.ts';

export const COMPOSE = {
  file: HostPath.describe('The compose file.'),
  service: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'the name of a service')
    .describe('The service in it; others are left alone.'),
  project: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]*$/, 'the name of a project')
    .optional()
    .describe('When not given, compose derives it from the folder of the file.'),
  socket: HostPath.optional().describe('Of the Docker engine, where it is not the usual one.'),
};
const Compose = z.strictObject(COMPOSE);
export type Compose = z.infer<typeof Compose>;

type Argv = [string, ...string[]];

const envOf = ({ socket }: Compose) => (socket === undefined ? {} : { env: { DOCKER_HOST: `unix://${socket}` } });

export async function docker(
  context: HostContext,
  input: Compose,
  words: readonly string[],
  quiet = true,
): Promise<string> {
  return (await succeed(context, ['docker', ...words], { ...envOf(input), quiet })).stdout.trim();
}

export async function compose(
  context: HostContext,
  input: Compose,
  words: readonly string[],
  quiet = false,
): Promise<string> {
  const { file, project } = input;
  const program = await programOf(context, input);
  if (program === undefined) throw actionError('SB-ACT-PROGRAM-MISSING', 'neither `docker compose` nor docker-compose');
  const named = project === undefined ? [] : ['--project-name', project];
  const argv: Argv = [...program, '--file', file, ...named, ...words];
  const { stdout } = await succeed(context, argv, { ...envOf(input), cwd: dirname(file), quiet });
  return stdout.trim();
}

/** The plugin or, on older hosts, the program [T18]. */
async function programOf(context: HostContext, input: Compose): Promise<Argv | undefined> {
  if (findProgram(context, 'docker')) {
    const { exitCode } = await answer(context, ['docker', 'compose', 'version'], { ...envOf(input), quiet: true });
    if (exitCode === 0) return ['docker', 'compose'];
  }
  return findProgram(context, 'docker-compose') ? ['docker-compose'] : undefined;
}

/** Why nothing can be done with a service, as a plan shows it: files that a guide names may not exist [T18]. */
export async function composeProblems(context: HostContext, input: Compose) {
  const { file, service } = input;
  if ((await programOf(context, input)) === undefined) {
    return [actionError('SB-ACT-PROGRAM-MISSING', 'neither `docker compose` nor docker-compose here').failure];
  }
  if (!(await stat(file).catch(() => undefined))?.isFile()) {
    return [actionError('SB-ACT-COMPOSE-FILE', `${file} is not there`).failure];
  }
  const services = await compose(context, input, ['config', '--services'], true).catch(() => undefined);
  if (services === undefined)
    return [actionError('SB-ACT-COMPOSE-FILE', `${file} is not understood by compose`).failure];
  if (services.split('\n').includes(service)) return [];
  return [actionError('SB-ACT-COMPOSE-FILE', `${file} has no service ${service}`).failure];
}

export interface Container {
  id: string;
  /** The content of the image; its name may mean another one tomorrow [T17]. */
  image: string;
  imageName: string;
  running: boolean;
  restarts: number;
  startedAt: string;
}

/** The container of the service, running or not; undefined when there is none. */
export async function containerOf(context: HostContext, input: Compose): Promise<Container | undefined> {
  const { service } = input;
  const project =
    input.project ??
    dirname(input.file)
      .split('/')
      .at(-1)
      ?.toLowerCase()
      .replace(/[^a-z0-9_-]/g, '') ??
    '';
  const filters = [`label=com.docker.compose.project=${project}`, `label=com.docker.compose.service=${service}`];
  const ids = await docker(context, input, [
    'ps',
    '--all',
    '--quiet',
    '--no-trunc',
    ...filters.flatMap((f) => ['--filter', f]),
  ]);
  const [id, ...more] = ids.split('\n').filter(Boolean);
  if (id === undefined) return undefined;
  if (more.length > 0)
    throw actionError('SB-ACT-CONTAINER', `${service} has ${more.length + 1} containers: one is meant`);
  const found: unknown = JSON.parse(await docker(context, input, ['inspect', '--type', 'container', id]));
  const inspected = z
    .tuple([
      z.object({
        Image: z.string(),
        RestartCount: z.int(),
        Config: z.object({ Image: z.string() }),
        State: z.object({ Running: z.boolean(), Restarting: z.boolean(), StartedAt: z.string() }),
      }),
    ])
    .parse(found)[0];
  const { Running, Restarting, StartedAt } = inspected.State;
  const state = { running: Running && !Restarting, restarts: inspected.RestartCount, startedAt: StartedAt };
  return { id, image: inspected.Image, imageName: inspected.Config.Image, ...state };
}

const LOOK_EVERY_MS = 250;

/** `up -d` says that a container was started; a restart policy hides that it ends again and again [T22]. */
export async function requireRunning(context: HostContext, input: Compose, windowMs: number): Promise<Container> {
  const first = await containerOf(context, input);
  for (let left = windowMs; ; left -= LOOK_EVERY_MS) {
    const now = await containerOf(context, input);
    const same = now?.id === first?.id && now?.startedAt === first?.startedAt && now?.restarts === first?.restarts;
    if (!now?.running || !same)
      throw actionError('SB-ACT-CONTAINER', `${input.service} was started and does not stay up`);
    if (left <= 0) return now;
    await context.sleep(Math.min(left, LOOK_EVERY_MS));
  }
}

/** What a receipt says of the container before; undefined when there was none. @throws SB-ACT-NO-RECEIPT */
export function recordedContainer({
  container,
}: JsonObject): Pick<Container, 'image' | 'imageName' | 'running'> | undefined {
  if (container === null) return undefined;
  const { image, imageName, running } = isJsonObject(container) ? container : {};
  if (typeof image === 'string' && typeof imageName === 'string' && typeof running === 'boolean') {
    return { image, imageName, running };
  }
  throw actionError('SB-ACT-NO-RECEIPT', 'nobody recorded which container there was before');
}

/** Whether a receipt tells of this start of the container. Undefined: it does not tell. */
export function isStartOf({ own }: JsonObject, { startedAt }: Container): boolean | undefined {
  return isJsonObject(own) ? own.startedAt === startedAt : undefined;
}

export function receiptOf(container: Container | undefined): JsonObject {
  if (!container) return { container: null };
  const { image, imageName, running } = container;
  return { container: { image, imageName, running } };
}
