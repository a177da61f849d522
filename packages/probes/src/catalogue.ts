import type { JsonObject, ProbeSpec } from '@signalbox/protocol';
import { z } from 'zod';
import { cometbftStatus } from './cometbft/status.ts';
import type { Probe } from './contract.ts';
import { hostFacts } from './host/facts.ts';
import { httpGet } from './http/get.ts';
import { minerStatus } from './miner/status.ts';
import { postgresDatabase } from './postgres/database.ts';
import { postgresTable } from './postgres/table.ts';
import { remesdSignerHeight } from './remesd/signer-height.ts';
import { guarded } from './support/guard.ts';
import { systemdEnvironment } from './systemd/environment.ts';
import { systemdUnit } from './systemd/unit.ts';

/** Everything that an agent can measure, by name. */
export const probes: readonly Probe[] = [
  cometbftStatus,
  hostFacts,
  httpGet,
  minerStatus,
  postgresDatabase,
  postgresTable,
  remesdSignerHeight,
  systemdEnvironment,
  systemdUnit,
].map(guarded);

export const probeByName: ReadonlyMap<string, Probe> = new Map(probes.map((probe) => [probe.name, probe]));

/** The same as data: what a runbook is checked against, and what agents publish. */
export const probeSpecs: readonly ProbeSpec[] = probes.map(toSpec);

function toSpec({ name, version, summary, schema, values, open, refreshesMs, secrets }: Probe): ProbeSpec {
  return {
    name,
    version,
    summary,
    input: z.toJSONSchema(schema, { io: 'input' }) as JsonObject,
    values: { ...values },
    open: open ?? false,
    ...(refreshesMs !== undefined && { refreshesMs }),
    secrets: [...(secrets ?? [])],
  };
}
