import { resolve } from 'node:path';
import { type Contents, textOf } from '../../record/bundle.ts';
import { type Verified, verifyBundle } from '../../record/verify.ts';
import { dateAndTime } from '../../screens/time.ts';
import type { Cli } from '../cli.ts';
import type { MeshClient } from '../client.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readBytes, writePrivate } from '../files.ts';
import { RunLog } from '../run-log.ts';
import { safeText } from '../safe-text.ts';

/** More than the streams keep of one run. */
const LARGEST_BYTES = 1_073_741_824;

/** `signalbox report RUN --export FILE`: the run as it is stored, sealed, in one file; proven before it is written. */
export async function exportRun(
  cli: Cli,
  client: MeshClient,
  { run, file }: { run: string; file: string },
): Promise<ExitCode> {
  const { planText: plan } = await RunLog.open(client, run);
  const all = async (part: 'entries' | 'reports' | 'outputs') => {
    const texts: string[] = [];
    for (let more = true; more; ) {
      const page = await client.ask('record', { run, part, from: texts.length });
      texts.push(...page.texts);
      more = page.more && page.texts.length > 0;
    }
    return texts;
  };
  const contents: Contents = {
    plan,
    entries: await all('entries'),
    reports: await all('reports'),
    outputs: await all('outputs'),
  };
  const counts = {
    entries: contents.entries.length,
    reports: contents.reports.length,
    outputs: contents.outputs.length,
  };
  const { seal } = await client.ask('attest', { run, counts });
  const text = textOf({ v: 1, seal, ...contents });
  const { coordinators, authority } = cli.settings;
  const verified = verifyBundle(Buffer.from(text), { coordinators: (key) => coordinators.includes(key), authority });
  const path = resolve(cli.io.cwd, file);
  writePrivate(path, text);
  cli.show({ bundle: path, ...verified }, () => [`${path} is written`, ...linesOf(verified)]);
  return EXIT.done;
}

export interface VerifyOptions {
  readonly trust?: readonly string[];
  readonly authority?: string;
}

/** `signalbox verify FILE`: offline, against the coordinators and the authority of the settings, or those that are named. */
export async function verify(cli: Cli, file: string, { trust, authority }: VerifyOptions): Promise<ExitCode> {
  const data = readBytes(resolve(cli.io.cwd, file), LARGEST_BYTES);
  const trusted = trust ?? cli.settings.coordinators;
  // Who names the coordinator may have no settings at all.
  const speaks = authority ?? (trust === undefined ? cli.settings.authority : undefined);
  const verified = verifyBundle(data, { coordinators: (key) => trusted.includes(key), authority: speaks });
  cli.show({ bundle: file, ...verified }, () => [`${file} is whole and unchanged`, ...linesOf(verified)]);
  return EXIT.done;
}

function linesOf({ attestation, key, runbook, sources, entries, reports, outcomes, people }: Verified): string[] {
  const { mesh, run, coordinator, atMs, plan, outputs } = attestation;
  return [
    `  run       ${run} of mesh ${mesh}, runbook ${runbook}, plan ${plan.slice(0, 8)}`,
    `  made of   ${sourcesLine(sources)}`,
    `  log       ${entries} entries, one unbroken chain from the plan on`,
    `  reports   ${reports}, each signed by its host; ${outcomes.signed} of ${outcomes.told} successes on hosts are among them`,
    `  output    ${outputs.count} pieces`,
    `  people    ${peopleLine(people)}`,
    `  sealed    ${dateAndTime(atMs)} by ${coordinator}, ${key}`,
  ];
}

function sourcesLine(sources: Verified['sources']): string {
  if (sources.length === 0)
    return 'no runbook in its plan: it was asked for at once (exec), takes a run back (undo), or an older version has planned it';
  return sources.map(({ name, sha256 }) => `${safeText(name)} (sha256 ${sha256.slice(0, 8)})`).join(', ');
}

function peopleLine({ start, approvals: { told, signed }, authorities }: Verified['people']): string {
  if (!start) return `nobody has signed the start; ${told} approvals are the coordinator's word`;
  return `the start is signed, and ${signed} of ${told} approvals; who they are says ${authorities.join(' and ')}`;
}
