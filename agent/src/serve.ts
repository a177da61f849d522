import { fileURLToPath } from 'node:url';
import { actionByName, actions } from '@signalbox/actions';
import { probeByName, probes } from '@signalbox/probes';
import { type Failure, SignalboxError } from '@signalbox/protocol';
import { openServiceManager } from '@signalbox/service';
import { loadJwt, loadText } from '@signalbox/settings';
import { createAgent } from './agent.ts';
import type { AgentConfig } from './config.ts';
import { loadCurveKey, opensWith, statementOf } from './executor/curve.ts';
import { createKeeperClient } from './executor/keeper/client.ts';
import { createKeeperStarter } from './executor/keeper/starter.ts';
import { createSecretValues } from './executor/redact.ts';
import { createSecretReader } from './executor/secrets.ts';
import { type Units, unitsHere } from './executor/units.ts';
import { createWorkbench } from './executor/workbench.ts';
import { exitCodeOf } from './exit-codes.ts';
import { openHostKey, seedFileOf } from './host-key.ts';
import { createHostReader } from './host-reader.ts';
import { openFileStorage } from './journal/file-storage.ts';
import { openJournal } from './journal/journal.ts';
import { createLog } from './log.ts';
import type { Door } from './messenger/door.ts';
import { privilegesOf, reachMesh } from './messenger/reach.ts';
import { loadPolicy } from './policy/load.ts';
import type { Policy, Use } from './policy/policy.ts';
import type { Identity, Log, Toolbox } from './ports.ts';
import { takeStateDir } from './state-dir.ts';
import { bootId, machineId, systemClock, systemRandom } from './system.ts';
import { VERSION } from './version.ts';

/** Stands beside this program, in a checkout and in a package. */
const KEEPER = fileURLToPath(new URL('./keeper.js', import.meta.url));

/**
 * The composition root: everything that touches the real world is made here and handed down.
 * @param door where the messenger comes, when another process speaks to the mesh.
 */
export async function serve(config: AgentConfig, file: string, door?: Door): Promise<number> {
  const privileges = privilegesOf(config, door);
  const signer = openHostKey(config.seedFile);
  const ca = loadText(file, 'caFile', config.caFile);
  const jwt = loadJwt(file, config.jwtFile);
  const policy = loadPolicy({
    path: config.policy,
    own: [file, config.stateDir, ...seedFiles(config)],
    actionByName: findAction,
  });
  const stateDir = await takeStateDir(config.stateDir, runtimeDir(process.env));
  const secretValues = createSecretValues();
  const log = createLog({ mesh: config.mesh, host: config.name }, secretValues);
  tellPolicy(policy, log);
  const identity = identityOf(config);
  const curve = loadCurveKey(config.seedFile, log);
  log('info', 'keys of this host', { key: signer.publicKey, curve: curve?.publicKey });
  const storage = openFileStorage(stateDir.journal);
  const journal = openJournal(storage, { identity, newId: systemRandom.uuid, nowMs: systemClock.nowMs });
  const end = waitForEnd();
  const service = openServiceManager({
    env: process.env,
    monotonicMs: systemClock.monotonicMs,
    onProblem: (reason) => log('warn', 'the service manager could not be told', { reason }),
  });
  // From here on only the mesh is waited for, and that may be for long: settings, key and journal are good.
  service.ready('waiting for NATS');
  const bus = await reachMesh(config, { door, signer, ca, jwt, log, signal: end.signal, service });
  if (bus === undefined) return 0;

  const keeper = createKeeperClient({ folder: stateDir.path, program: KEEPER, clock: systemClock });
  const workbench = createWorkbench({
    host: config.name,
    labels: config.labels,
    clock: systemClock,
    steps: stateDir.steps,
    path: config.path,
    outputCapBytes: config.outputCapBytes,
    secrets: createSecretReader({ ...process.env }, secretValues, opensWith(curve, config)),
    secretValues,
    policy,
    starter: createKeeperStarter({ client: keeper, clock: systemClock, units: unitsOf(config, log) }),
    publish: (chunk) => bus.output(chunk, Buffer.from(JSON.stringify(chunk))),
  });
  const world = { clock: systemClock, random: systemRandom, reader: createHostReader(), toolbox: installed(policy) };
  const agent = createAgent(
    { ...world, bus, journal, workbench, signer, log },
    {
      identity,
      coordinators: config.trust.coordinators,
      keys: () => curve && statementOf(curve, config, signer),
      key: signer,
      authority: config.trust.authority,
      privileges,
      concurrency: config.concurrency,
      maxSkewMs: config.maxSkew,
      stopTimeoutMs: config.stopTimeout,
      onDuplicate: end.refuse,
      onRound: service.alive,
      onHeard(heard) {
        const text = heard ? 'a coordinator hears this host' : 'no coordinator hears this host';
        service.status(text);
        door?.status(text);
      },
    },
  );
  try {
    await agent.start();
    await end.reached;
    await service.stopping();
    await agent.stop();
  } finally {
    keeper.close();
    if (end.refusal) await door?.refuse(end.refusal, exitCodeOf(end.refusal));
    await bus.close();
    journal.close();
    stateDir.release();
  }
  if (end.refusal) throw new SignalboxError(end.refusal);
  return 0;
}

const findAction: Toolbox['actionByName'] = (name) => actionByName.get(name);

function identityOf({ mesh, name: host, labels }: AgentConfig): Identity {
  const instance = systemRandom.uuid();
  return { mesh, host, labels, machine: machineId(), boot: bootId(), instance, version: VERSION };
}

/** What no step may name. */
function seedFiles({ seedFile }: AgentConfig): string[] {
  return [seedFile, ...(['next', 'former', 'curve'] as const).map((which) => seedFileOf(seedFile, which))];
}

/** What systemd makes under /run for a service with RuntimeDirectory= (systemd.exec(5)); several are joined by colons. */
function runtimeDir({ RUNTIME_DIRECTORY }: NodeJS.ProcessEnv): string | undefined {
  return RUNTIME_DIRECTORY?.split(':')[0] || undefined;
}

/** Resolves on SIGTERM or SIGINT, or when the mesh does not want this host. */
function waitForEnd() {
  const controller = new AbortController();
  const state: { refusal?: Failure } = {};
  const reached = new Promise<void>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => controller.abort());
  return {
    reached,
    signal: controller.signal,
    refuse(failure: Failure) {
      state.refusal ??= failure;
      controller.abort();
    },
    get refusal() {
      return state.refusal;
    },
  };
}

/** That nobody has said what is allowed here is said with every start. */
function tellPolicy({ sha256 }: Policy, log: Log): void {
  if (sha256 === undefined)
    log('warn', 'no policy: every action, unit, path, command and user is allowed on this host');
  else log('info', 'policy read', { sha256 });
}

function unitsOf({ stepUnits }: AgentConfig, log: Log): Units | undefined {
  const units = stepUnits ? unitsHere() : 'stepUnits is false';
  if (typeof units === 'string') log('info', 'processes of steps get no units of their own', { reason: units });
  return typeof units === 'string' ? undefined : units;
}

function installed(policy: Policy): Toolbox {
  const offered = (kind: Use['kind']) => (tool: { name: string }) => policy.offers(kind, tool.name);
  const named = ({ name, version }: { name: string; version: number }) => `${name}@${version}`;
  return {
    policy,
    actionByName: findAction,
    probeByName: (name) => probeByName.get(name),
    actions: actions.filter(offered('action')).map(named),
    probes: probes.filter(offered('probe')).map(named),
  };
}
