import { stringify } from 'yaml';
import type { Lab } from './lab.ts';
import type { LabHost } from './lab-host.ts';
import { COORDINATOR_HOST, type HostPlan } from './plan.ts';

export const SLOW_UNIT = 'slow.service';
const STARTS = '/var/lib/slow/starts';
const GO = '/var/lib/slow/go';

/** A unit whose start lasts until it is let go: what a step is in the middle of when something happens to its host. */
export async function installSlowUnit(host: LabHost): Promise<void> {
  host.put(
    `/etc/systemd/system/${SLOW_UNIT}`,
    `[Unit]
Description=Takes its time

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
ExecStart=/bin/sh -c 'echo started >> ${STARTS}; until [ -e ${GO} ]; do sleep 0.1; done'

[Install]
WantedBy=default.target
`,
  );
  host.put(STARTS, '');
  await host.run(['systemctl', 'daemon-reload']);
}

export async function removeSlowUnit(host: LabHost): Promise<void> {
  host.put(GO, '');
  await host.exec(['systemctl', 'disable', '--now', SLOW_UNIT]);
  await host.run(['rm', '-rf', '/var/lib/slow', `/etc/systemd/system/${SLOW_UNIT}`]);
  await host.run(['systemctl', 'daemon-reload']);
}

export const letGo = (host: LabHost) => host.put(GO, '');

/** How often it was started, whoever did it. */
export const starts = (host: LabHost) => host.get(STARTS).split('\n').filter(Boolean).length;

const WORK = '/var/lib/slow/work.sh';

/** A program that a step runs, and that lasts until it is let go. */
export function installSlowProgram(host: LabHost): void {
  host.put(WORK, `#!/bin/sh\necho started >> ${STARTS}\nuntil [ -e ${GO} ]; do sleep 0.1; done\necho ended\n`, 0o755);
  host.put(STARTS, '');
}

/** A runbook that runs it on the host. @returns its path on the coordinator's host. */
export function slowProgramRunbook(lab: Lab, { plan }: LabHost, { timeout = '5m' } = {}): string {
  const run = { argv: [WORK], effect: 'idempotent' };
  const steps = [{ id: 'started', hosts: 'target', do: 'exec.run', with: run, timeout }];
  return writeRunbook(lab, plan, { name: 'slow-program', steps });
}

const RUNAWAY = '/var/lib/slow/runaway';

/**
 * In its place one whose child is in another session, without its environment, and does not listen: neither its group nor
 * its mark leads to it.
 */
export function installRunawayProgram(host: LabHost): void {
  const child = `trap "" TERM; echo $$ > ${RUNAWAY}; echo started >> ${STARTS}; while :; do sleep 1; done`;
  host.put(WORK, `#!/bin/sh\nenv -i setsid sh -c '${child}' >/dev/null 2>&1 &\nexec sleep 600\n`, 0o755);
  host.put(STARTS, '');
}

/** Its child's process id. */
export const runaway = (host: LabHost) => host.get(RUNAWAY).trim();

/** Units of processes of steps, with what systemd says that they are. */
export async function stepUnits(host: LabHost): Promise<{ name: string; description: string }[]> {
  const list = ['systemctl', 'list-units', '--all', '--plain', '--no-legend', 'signalbox-*.scope'] as const;
  const lines = (await host.run(list)).split('\n').filter(Boolean);
  return lines.map((line) => {
    const [name = '', , , , ...description] = line.trim().split(/ +/);
    return { name, description: description.join(' ') };
  });
}

/** A runbook that starts it on the host and goes on after that. @returns its path on the coordinator's host. */
export function slowRunbook(lab: Lab, { plan }: LabHost): string {
  const hosts = 'target';
  return writeRunbook(lab, plan, {
    name: 'slow-start',
    steps: [
      { id: 'started', hosts, do: 'systemd.start', with: { unit: SLOW_UNIT }, timeout: '5m' },
      { id: 'stopped', hosts, do: 'systemd.stop', with: { unit: SLOW_UNIT } },
    ],
  });
}

function writeRunbook(lab: Lab, { labels }: HostPlan, { name, steps }: { name: string; steps: object[] }): string {
  const path = `/root/${name}.yaml`;
  const runbook = {
    apiVersion: 'signalbox/v1',
    kind: 'Runbook',
    metadata: { name, summary: 'Begin something that takes its time' },
    spec: { hosts: { target: { match: { ...labels }, count: 1 } }, steps },
  };
  lab.host(COORDINATOR_HOST).put(path, stringify(runbook));
  return path;
}
