import { formatDuration, type HostRecord, hostState, type ReplyBody } from '@signalbox/protocol';
import { safeText } from '../cli/safe-text.ts';
import { table } from './layout.ts';

/** Every enrolled host: whether it answers, what it is, what it runs. */
export function hostsScreen(mesh: string, { hosts, nowMs, problems }: ReplyBody<'hosts'>): string[] {
  const header = ['host', 'state', 'seen', 'labels', 'load', 'running', 'agent'];
  const rows = hosts.map((host) => hostRow(host, nowMs));
  const refusing = hosts.flatMap(({ name, health }) =>
    health?.refusing
      ? [`${name} is refusing commands: [${health.refusing.code}] ${safeText(health.refusing.message)}`]
      : [],
  );
  const said = hosts.flatMap(({ name, health }) =>
    (health?.problems ?? []).map(({ code, message }) => `${name}: [${code}] ${safeText(message)}`),
  );
  const open = hosts.filter(({ health }) => health && health.policy === undefined).map(({ name }) => name);
  const free = open.length > 0 ? [`no policy, so everything is allowed: ${open.join(', ')}`] : [];
  const trusting = hosts.filter(({ health }) => health && health.authority === undefined).map(({ name }) => name);
  const obeying =
    trusting.length > 0 ? [`no authority, so a coordinator's word is enough: ${trusting.join(', ')}`] : [];
  const asRoot = hosts.filter(({ health }) => health?.privileges === 'root').map(({ name }) => name);
  const exposed = asRoot.length > 0 ? [`the process that speaks to the network is root: ${asRoot.join(', ')}`] : [];
  const mine = problems.map(({ code, message, next }) => `[${code}] ${safeText(message)} ${safeText(next)}`);
  const online = hosts.filter((host) => stateOf(host, nowMs) === 'online').length;
  return [
    `mesh ${mesh}   ${online} of ${hosts.length} hosts online`,
    '',
    ...(hosts.length > 0 ? table([header, ...rows]) : ['no host is enrolled: add them to coordinator.yaml']),
    ...below([...refusing, ...said, ...mine, ...free, ...obeying, ...exposed]),
  ];
}

const below = (lines: readonly string[]): readonly string[] => (lines.length > 0 ? ['', ...lines] : []);

function stateOf({ seenAtMs }: HostRecord, nowMs: number) {
  return hostState(seenAtMs === undefined ? undefined : Math.max(0, nowMs - seenAtMs));
}

function hostRow(host: HostRecord, nowMs: number): string[] {
  const { name, labels, health, seenAtMs, skewMs } = host;
  const load = health?.load;
  const cpu = load?.cpuPercent === undefined ? '' : `cpu ${Math.round(load.cpuPercent)}%`;
  const memory = load?.memoryPercent === undefined ? '' : `mem ${Math.round(load.memoryPercent)}%`;
  const skew = skewMs === undefined || Math.abs(skewMs) < 1_000 ? '' : ` skew ${formatDuration(skewMs)}`;
  return [
    name,
    health?.refusing ? 'refusing' : stateOf(host, nowMs),
    seenAtMs === undefined ? 'never' : `${formatDuration(Math.max(0, nowMs - seenAtMs))} ago${skew}`,
    Object.entries(labels)
      .map(([key, value]) => safeText(`${key}=${value}`))
      .join(' '),
    [cpu, memory].filter((part) => part !== '').join(' '),
    health === undefined ? '' : String(health.running.length),
    health === undefined ? '' : `${safeText(health.version)} ${Math.round(health.load.agentRssBytes / 1_048_576)} MiB`,
  ];
}
