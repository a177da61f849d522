import { DEFAULTS, type ReplyBody, SignalboxError } from '@signalbox/protocol';
import type { Hosts } from './hosts.ts';
import type { Members } from './members.ts';
import type { Ports } from './ports.ts';
import type { Runs } from './runs.ts';

type Finding = ReplyBody<'doctor'>['findings'][number];

/** Whether the mesh could carry a cutover now: a handful of lines, red or green. Changes nothing. */
export async function diagnoseMesh({
  ports,
  hosts,
  runs,
  members,
}: {
  ports: Ports;
  hosts: Hosts;
  runs: Runs;
  members: Members;
}): Promise<Finding[]> {
  const bus = await diagnoseBus(ports);
  return [...bus, ...diagnoseHosts(hosts), diagnoseCoordinators(members), diagnoseRuns(runs)];
}

async function diagnoseBus({ bus }: Ports): Promise<Finding[]> {
  try {
    const { serverName, serverVersion, jetstream, roundTripMs, storage, streams, healthy } = await bus.inspect();
    const used = Math.round(storage.usedBytes / 1_048_576);
    const limit = storage.limitBytes === undefined ? '' : ` of ${Math.round(storage.limitBytes / 1_048_576)} MiB`;
    const full = storage.limitBytes !== undefined && storage.usedBytes > 0.9 * storage.limitBytes;
    const leaderless = streams.filter((stream) => !stream.leader).map((stream) => stream.name);
    return [
      {
        what: 'NATS',
        ok: healthy !== false,
        detail: `${serverName} ${serverVersion}, round trip ${roundTripMs.toFixed(1)} ms`,
      },
      {
        what: 'JetStream',
        ok: jetstream && leaderless.length === 0,
        detail:
          leaderless.length === 0
            ? `${streams.length} streams, ${streams[0]?.replicas ?? 1} replicas`
            : `no leader: ${leaderless.join(', ')}`,
        ...(leaderless.length === 0
          ? {}
          : { next: 'Look at `nats stream report`; nothing can be logged until a quorum is back.' }),
      },
      {
        what: 'storage',
        ok: !full,
        detail: `${used} MiB used${limit}`,
        ...(full ? { next: 'Free disk, or raise the limit of JetStream, before a run is started.' } : {}),
      },
    ];
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error;
    return [{ what: 'NATS', ok: false, detail: error.failure.message, next: error.failure.next }];
  }
}

function diagnoseHosts(hosts: Hosts): Finding[] {
  const all = hosts.list();
  const away = all.filter(({ name }) => hosts.stateOf(name) !== 'online');
  const skewed = all.filter(({ skewMs }) => skewMs !== undefined && Math.abs(skewMs) > DEFAULTS.maxSkewMs);
  const refusing = all.filter(({ health }) => health?.refusing !== undefined);
  const worst = Math.max(0, ...all.map(({ skewMs }) => Math.abs(skewMs ?? 0)));
  return [
    {
      what: 'agents',
      ok: away.length === 0 && refusing.length === 0,
      detail: `${all.length - away.length} of ${all.length} online${away.length > 0 ? `; not: ${away.map((h) => h.name).join(', ')}` : ''}`,
      ...(away.length > 0 ? { next: 'Look at signalbox-agent on the named hosts.' } : {}),
    },
    {
      what: 'clocks',
      ok: skewed.length === 0,
      detail:
        skewed.length === 0
          ? `within ${Math.round(worst)} ms`
          : `off: ${skewed.map((h) => `${h.name} ${Math.round(h.skewMs ?? 0)} ms`).join(', ')}`,
      ...(skewed.length > 0
        ? { next: 'Agents on these hosts start nothing until their clock is right (chrony, systemd-timesyncd).' }
        : {}),
    },
  ];
}

function diagnoseCoordinators(members: Members): Finding {
  const leading = members.live().map(({ name, runs }) => `${name} leads ${runs.length}`);
  return { what: 'coordinators', ok: true, detail: leading.toSorted().join(', ') };
}

function diagnoseRuns({ notLed, orphans }: Runs): Finding {
  const unread = [...notLed].map(([run, why]) => `${run}: ${why}`);
  const waiting = orphans.map((run) => `${run}: nobody has taken it over yet`);
  const lost = [...unread, ...waiting];
  if (lost.length === 0) return { what: 'runs', ok: true, detail: 'every open run is led' };
  const next =
    'A run that is not led does nothing. Read its message; a newer coordinator may know what this one does not.';
  return { what: 'runs', ok: false, detail: lost.join('; '), next };
}
