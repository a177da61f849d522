import { isJsonObject } from '@signalbox/protocol';
import { diagnosisScreen } from '../../screens/diagnosis.ts';
import type { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { safeText } from '../safe-text.ts';

const LOOK_MS = 30_000;

export interface DiagnoseOptions {
  readonly unit?: readonly string[];
  readonly folder?: readonly string[];
}

/** `signalbox diagnose HOST`: what one looks at first when a service does not come up, in one readable answer. */
export async function diagnose(cli: Cli, host: string, { unit = [], folder = [] }: DiagnoseOptions): Promise<ExitCode> {
  const client = await cli.mesh();
  const input = {
    ...(unit.length > 0 ? { units: [...unit] } : {}),
    ...(folder.length > 0 ? { folders: [...folder] } : {}),
  };
  const question = { host, probe: 'host.diagnosis', with: input, timeoutMs: LOOK_MS };
  const [{ values }, { hosts }] = await Promise.all([
    client.ask('sample', question, LOOK_MS + 5_000),
    client.ask('hosts', {}),
  ]);
  const agent = hosts.find(({ name }) => name === host)?.health?.version;
  const seen = isJsonObject(values.versions) ? values.versions : {};
  const all = { ...values, versions: { ...(agent === undefined ? {} : { agent: `signalbox ${agent}` }), ...seen } };
  cli.show({ mesh: client.mesh, host, ...all }, () =>
    diagnosisScreen({ mesh: client.mesh, host, values: all }).map(safeText),
  );
  return EXIT.done;
}
