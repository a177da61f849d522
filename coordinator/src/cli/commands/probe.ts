import { type Condition, formatDuration, type Json, type JsonObject } from '@signalbox/protocol';
import { type GateWatch, observe, openGate } from '@signalbox/sequencer';
import { dateAndTime } from '../../screens/time.ts';
import { valueText } from '../../screens/values.ts';
import { conditionOf, durationOf, withOf } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import type { MeshClient } from '../client.ts';
import { cliError } from '../codes.ts';
import { failureOf, isAboutReaching, renderFailure } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { safeText } from '../safe-text.ts';
import { targetsOf } from '../targets.ts';

export interface ProbeOptions {
  readonly hosts: readonly string[];
  readonly with?: readonly string[];
  readonly until?: readonly string[];
  readonly for?: string;
  readonly every: string;
  readonly timeout: string;
}

const SAMPLE_MS = 15_000;

/** `signalbox probe NAME --hosts H`: one look, or with --until the same judgement as a gate's, until it holds. */
export async function probe(cli: Cli, name: string, options: ProbeOptions): Promise<ExitCode> {
  const client = await cli.mesh();
  const hosts = targetsOf(await client.ask('hosts', {}), options.hosts).map((host) => host.name);
  const ask = { probe: name, with: withOf(options.with) };
  if (options.until === undefined) return await once(cli, client, { hosts, ask });
  return await untilHolds(cli, client, { hosts, ask, until: conditionOf(options.until, '--until'), options });
}

interface Asked {
  readonly hosts: readonly string[];
  readonly ask: { readonly probe: string; readonly with: JsonObject };
}

async function once(cli: Cli, client: MeshClient, { hosts, ask }: Asked): Promise<ExitCode> {
  const samples = await Promise.all(hosts.map(async (host) => ({ host, ...(await sample(client, host, ask)) })));
  if (cli.json) cli.printJson(samples);
  else for (const { host, values, failure } of samples) cli.print(...sampleLines(cli, { host, values, failure }));
  return samples.some(({ failure }) => failure !== undefined) ? EXIT.failed : EXIT.done;
}

type Sampled =
  | { values: Record<string, Json>; failure?: undefined }
  | { values?: undefined; failure: ReturnType<typeof failureOf> };

/** A sample that cannot be had is told as such; a mesh that is gone ends the command. */
async function sample(client: MeshClient, host: string, ask: Asked['ask']): Promise<Sampled> {
  try {
    return { values: (await client.ask('sample', { host, ...ask, timeoutMs: SAMPLE_MS }, SAMPLE_MS + 5_000)).values };
  } catch (error) {
    const failure = failureOf(error);
    if (isAboutReaching(failure)) throw error;
    return { failure };
  }
}

function sampleLines(
  cli: Cli,
  { host, values, failure }: { host: string; values: Record<string, Json> | undefined; failure: Sampled['failure'] },
): string[] {
  if (failure) return [host, ...renderFailure(failure, cli.paint).map((line) => `  ${line}`)];
  const entries = Object.entries(values ?? {});
  const width = Math.max(0, ...entries.map(([key]) => key.length));
  return [host, ...entries.map(([key, value]) => `  ${safeText(key).padEnd(width)}  ${valueText(value)}`)];
}

interface Until extends Asked {
  readonly until: Condition;
  readonly options: ProbeOptions;
}

async function untilHolds(cli: Cli, client: MeshClient, { hosts, ask, until, options }: Until): Promise<ExitCode> {
  const forMs = options.for === undefined ? 0 : durationOf(options.for, '--for');
  const everyMs = durationOf(options.every, '--every');
  const timeoutMs = durationOf(options.timeout, '--timeout');
  const spec = { until, failIf: undefined, forMs, tolerateMs: 0, once: false };
  const watches = new Map<string, GateWatch>(hosts.map((host) => [host, openGate(spec)]));
  const stop = new AbortController();
  const release = cli.io.onInterrupt(() => stop.abort());
  const startedAt = performance.now();
  try {
    while (watches.size > 0) {
      for (const [host, watch] of watches) {
        const { values, failure } = await sample(client, host, ask);
        const { watch: next, verdict } = observe(watch, performance.now(), values);
        watches.set(host, next);
        if (verdict.kind === 'met') watches.delete(host);
        const open = verdict.judgements.filter((j) => !j.holds).map((j) => `${safeText(j.key)} ${valueText(j.have)}`);
        const said = failure ? failure.code : verdict.kind === 'met' ? 'holds' : ['not yet', ...open].join('  ');
        cli.show({ host, verdict: verdict.kind, values, failure }, () => [
          `${dateAndTime(cli.io.nowMs())} ${host}  ${said}`,
        ]);
      }
      const waited = performance.now() - startedAt;
      if (watches.size > 0 && (waited >= timeoutMs || stop.signal.aborted)) {
        throw cliError(
          'SB-CLI-WAITED',
          `${ask.probe} does not hold on ${[...watches.keys()].join(', ')} after ${formatDuration(waited)}`,
        );
      }
      if (watches.size > 0) await pauseFor(Math.min(everyMs, timeoutMs - waited), stop.signal);
    }
    return EXIT.done;
  } finally {
    release();
  }
}

async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
