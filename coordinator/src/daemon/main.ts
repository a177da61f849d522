import { randomUUID } from 'node:crypto';
import { type AuditLog, type BusOptions, connectCoordinator, type StreamLimits } from '@signalbox/bus';
import { formatDuration, type LogEntry } from '@signalbox/protocol';
import type { Signer } from '@signalbox/protocol/crypto';
import { cellKey, type WatchEffect } from '@signalbox/sequencer';
import { openServiceManager, type ServiceManager } from '@signalbox/service';
import { besideFile, loadJwt, loadSeed, loadSettings, loadText } from '@signalbox/settings';
import { type Logger, pino } from 'pino';
import { VERSION } from '../program-files.ts';
import { Audit } from './audit.ts';
import { CoordinatorConfig } from './config.ts';
import { type Doors, Enrolment } from './enrolment.ts';
import { Hosts } from './hosts.ts';
import { serveHttp } from './http.ts';
import { Members } from './members.ts';
import { Metrics } from './metrics.ts';
import { type Ports, systemClock } from './ports.ts';
import { HostQueries } from './queries.ts';
import { Register } from './register.ts';
import { serveRequests } from './requests.ts';
import type { Runner } from './runner.ts';
import { Runs } from './runs.ts';
import { StatusEvents } from './status.ts';
import { postPage } from './webhooks.ts';

/** How often the daemon says that it lives while NATS cannot be reached. */
const ALIVE_MS = 2_000;

/** Wires the daemon and keeps it running until SIGTERM or SIGINT. The one place where its parts meet. */
export async function runCoordinator({ config: path }: { config: string }): Promise<void> {
  const config = loadSettings(path, CoordinatorConfig);
  const own = loadSeed(besideFile(path, config.seedFile));
  const former = config.formerSeedFile === undefined ? undefined : loadSeed(besideFile(path, config.formerSeedFile));
  const signer: Signer = { ...own, former };
  // The server knows the new key once this coordinator has told it.
  const { seed } = former ?? own;
  const log = openLog(config);
  const service = openServiceManager({
    env: process.env,
    monotonicMs: systemClock.monotonicMs,
    onProblem: (reason) => log.warn({ reason }, 'the service manager could not be told'),
  });
  // From here on only NATS is waited for, and that may be for long: settings and key are good.
  service.ready('waiting for NATS');
  const ca = loadText(path, 'caFile', config.caFile);
  const jwt = loadJwt(path, config.jwtFile);
  const register = config.enrolment && Register.open(path, config, signer);
  const waiting = setInterval(service.alive, ALIVE_MS);
  const bus = await connectCoordinator({
    servers: config.servers,
    mesh: config.mesh,
    seed,
    ca,
    jwt,
    name: config.name,
    connectTimeoutMs: 0,
    version: VERSION,
    ...(config.natsHealthUrl === undefined ? {} : { healthUrl: config.natsHealthUrl }),
    limits: streamLimits(config),
    log: logTo(log),
  }).finally(() => clearInterval(waiting));
  const { mesh, name } = config;
  const ports: Ports = { mesh, name, bus, signer, clock: systemClock, random: Math.random, newId: randomUUID, log };
  try {
    const hosts = { ...config.hosts, ...register?.hosts };
    await bus.prepare(Object.keys(hosts));
    const reach = {
      servers: config.servers,
      mesh,
      seed,
      ca,
      name,
      connectTimeoutMs: 10_000,
      log: logTo(log),
    };
    await serve({ ...config, hosts }, ports, { service, doors: register && { register, reach }, requests: bus.audit });
  } finally {
    await bus.close();
  }
}

/** Until it is told to stop. Whatever ends it, nothing of it keeps the process alive. */
async function serve(
  config: CoordinatorConfig,
  ports: Ports,
  { service, doors, requests }: { service: ServiceManager; doors: Doors | undefined; requests: AuditLog },
): Promise<void> {
  const { bus, log } = ports;
  const audit = new Audit(requests, ports);
  const hosts = new Hosts(ports, config.hosts);
  const queries = new HostQueries(ports, hosts);
  const status = new StatusEvents(ports);
  const members = new Members({ ports, leaseMs: config.leaseSeconds * 1_000 });
  const runs: Runs = new Runs({
    ports,
    queries,
    hosts,
    members,
    onRunner: (runner) => watchRunner(runner, { config, status, metrics, log }),
    onEntry: (runner, entry, before) => {
      const after = runner.state;
      // Commands that follow from the entry go out first; who watches can wait for the next turn of the loop.
      setImmediate(() => {
        status.entry(before, after, entry);
        metrics.entry(after, entry);
        pageForEvents(runner, entry);
      });
    },
  });
  const metrics = new Metrics({ ports, hosts, runs });
  hosts.onLook(service.alive);
  // Every coordinator hears every host; one of them tells monitoring.
  hosts.onChange((_host, state, record) => members.speaks && status.host(record, state));
  let enrolment: Enrolment | undefined;
  let http: Awaited<ReturnType<typeof serveHttp>> | undefined;
  try {
    await hosts.start();
    await members.start();
    enrolment =
      doors && new Enrolment({ ...doors, ports, hosts, queries, audit, plannedWith: (key) => runs.plannedWith(key) });
    await enrolment?.open();
    const kept = { writer: audit, log: requests };
    await serveRequests({ ports, hosts, runs, members, queries, version: VERSION, enrolment, audit: kept }, config);
    await runs.share();
    if (config.http) {
      const unhealthy = () => (bus.connected ? undefined : 'not connected to NATS');
      http = await serveHttp({ ...config.http, registry: metrics.registry, unhealthy });
    }
    const enrolled = Object.keys(config.hosts).length;
    log.info({ hosts: enrolled, leading: runs.leading, http: http?.address.port }, 'coordinator ready');
    service.status(`ready; ${enrolled} hosts enrolled`);
    await stopSignal();
    await service.stopping();
    log.info('stopping; runs go on when a coordinator is back');
  } finally {
    await enrolment?.close();
    http?.server.close();
    hosts.stop();
    await runs.stop();
    await members.stop();
  }
}

const logTo =
  (log: Logger): NonNullable<BusOptions['log']> =>
  (level, message, fields) =>
    log[level](fields ?? {}, message);

const MIB = 1_048_576;

function streamLimits({ streamMiB }: CoordinatorConfig): Partial<StreamLimits> {
  const { commands, controls, reports, outputs } = streamMiB;
  return {
    ...(commands === undefined ? {} : { commandBytes: commands * MIB }),
    ...(controls === undefined ? {} : { controlBytes: controls * MIB }),
    ...(reports === undefined ? {} : { reportBytes: reports * MIB }),
    ...(outputs === undefined ? {} : { outputBytes: outputs * MIB }),
  };
}

/**
 * One JSON object a line, in the same form as the agents' logs. Written before anything that follows from it: who asked for
 * what is on record when it is answered, also when this process is killed in that moment.
 */
function openLog({ mesh, name, logLevel }: CoordinatorConfig): Logger {
  const formatters = { level: (label: string) => ({ level: label }) };
  const timestamp = pino.stdTimeFunctions.isoTime;
  const stdout = pino.destination({ dest: 1, sync: true });
  return pino({ level: logLevel, base: { mesh, coordinator: name }, timestamp, formatters }, stdout);
}

/** Everything that looks at a run from outside: samples into metrics and status, pages to webhooks. */
function watchRunner(
  runner: Runner,
  { config, status, metrics, log }: { config: CoordinatorConfig; status: StatusEvents; metrics: Metrics; log: Logger },
): void {
  const { samplers, pager } = runner.effects;
  const warned = new Set<string>();
  samplers.onSample = (live, effect) => {
    status.gate(runner.run, live, effect.spec.forMs);
    metrics.gate(runner.run, live);
    if (effect.use !== 'gate' || warned.has(effect.key) || !isPastHalf(runner, effect)) return;
    warned.add(effect.key);
    const message = `${effect.step} on ${effect.host} has used half of its time`;
    pager.once({ why: 'gate-past-half', message, next: `signalbox status ${runner.run} --why` });
  };
  pager.repeatMs = config.pageEverySeconds * 1_000;
  pager.onPage = (page) => {
    metrics.page(page.why);
    postPage(
      config.pages.map(({ url }) => url),
      status.page(page),
      log,
    );
  };
}

/** What is over as soon as it has happened, and still must wake somebody. */
function pageForEvents(runner: Runner, entry: LogEntry): void {
  const next = `signalbox status ${runner.run} --why`;
  for (const event of entry.events) {
    if (event.type === 'BudgetPassed') {
      const message = `${event.clock} has been down longer than its budget of ${formatDuration(event.budgetMs)}`;
      runner.effects.pager.once({ why: 'budget-passed', message, next });
    } else if (event.type === 'FenceBroken') {
      runner.effects.pager.once({ why: 'fence-broken', message: `${event.step} on ${event.host}: ${event.why}`, next });
    }
  }
}

function isPastHalf(runner: Runner, { step, host }: WatchEffect): boolean {
  const cell = runner.state.cells.get(cellKey(step, host));
  if (cell?.work?.kind !== 'gate' || cell.startedRunMs === undefined) return false;
  return runner.runMs() > (cell.startedRunMs + cell.work.deadlineRunMs) / 2;
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}
