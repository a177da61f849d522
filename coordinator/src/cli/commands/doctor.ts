import { type DoctorFinding, doctorScreen } from '../../screens/doctor.ts';
import type { Cli } from '../cli.ts';
import { exitCodeOf, failureOf } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

/** `signalbox doctor`: green or red, from this terminal to the agents. Goes as far as it gets. */
export async function doctor(cli: Cli): Promise<ExitCode> {
  const findings: DoctorFinding[] = [];
  let mesh = '?';
  let broken: ExitCode | undefined;
  const steps = [
    async () => {
      const { settings } = cli;
      mesh = settings.mesh;
      findings.push({ what: 'settings', ok: true, detail: `${settings.file}, operator ${settings.operator}` });
    },
    async () => {
      await cli.mesh();
      findings.push({ what: 'NATS', ok: true, detail: cli.settings.servers.join(', ') });
    },
    async () => findings.push(...(await askCoordinator(cli))),
  ];
  for (const [i, step] of steps.entries()) {
    try {
      await step();
    } catch (error) {
      const failure = failureOf(error);
      const what = ['settings', 'NATS', 'coordinator'][i] ?? '';
      findings.push({ what, ok: false, detail: `[${failure.code}] ${failure.message}`, next: failure.next });
      broken = exitCodeOf(failure);
      break;
    }
  }
  cli.show({ mesh, findings }, () => doctorScreen(mesh, findings));
  return broken ?? (findings.every(({ ok }) => ok) ? EXIT.done : EXIT.failed);
}

async function askCoordinator(cli: Cli): Promise<DoctorFinding[]> {
  const client = await cli.mesh();
  const { coordinator, version, leading, nowMs } = await client.ask('ping', {});
  const skewMs = Math.abs(nowMs - cli.io.nowMs());
  const detail = `${coordinator} ${version}, leads ${leading.length} ${leading.length === 1 ? 'run' : 'runs'}`;
  const { findings } = await client.ask('doctor', {});
  return [
    { what: 'coordinator', ok: true, detail },
    {
      what: 'this clock',
      ok: skewMs < 5_000,
      detail: `${skewMs} ms from the coordinator's`,
      next: 'Set this machine by NTP: requests with a wrong time are refused.',
    },
    ...findings,
  ];
}
