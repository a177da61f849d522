import { diagnosisScreen } from '../../screens/diagnosis.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { safeText } from '../safe-text.ts';

const LOOK_MS = 30_000;

/** `signalbox diagnose HOST`: what one looks at first when a service does not come up, in one readable answer. */
export async function diagnose(cli: Cli, host: string, { unit }: { unit?: readonly string[] }): Promise<ExitCode> {
  const client = await cli.mesh();
  const input = unit === undefined || unit.length === 0 ? {} : { units: [...unit] };
  const { values } = await client.ask(
    'sample',
    { host, probe: 'host.diagnosis', with: input, timeoutMs: LOOK_MS },
    LOOK_MS + 5_000,
  );
  cli.show({ mesh: client.mesh, host, ...values }, () =>
    diagnosisScreen({ mesh: client.mesh, host, values }).map(safeText),
  );
  return EXIT.done;
}
