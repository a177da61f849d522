import type { JsonObject, ProbeSpec } from '@signalbox/protocol';
import { z } from 'zod';
import { cometbftStatus } from './cometbft/status.ts';
import { connectWorker } from './connect/worker.ts';
import type { Probe } from './contract.ts';
import { dnsAnswer } from './dns/answer.ts';
import { envFile } from './env/file.ts';
import { hostDiagnosis } from './host/diagnosis.ts';
import { hostFacts } from './host/facts.ts';
import { hostFolder } from './host/folder.ts';
import { httpGet } from './http/get.ts';
import { httpPage } from './http/page.ts';
import { kafkaGroups } from './kafka/groups.ts';
import { kafkaLag } from './kafka/lag.ts';
import { kafkaPermissions } from './kafka/permissions.ts';
import { kafkaTopicsMatch } from './kafka/topics-match.ts';
import { kafkaWatermarks } from './kafka/watermarks.ts';
import { kubernetesEnv } from './kubernetes/env.ts';
import { kubernetesPermissions } from './kubernetes/permissions.ts';
import { kubernetesPods } from './kubernetes/pods.ts';
import { minerStatus } from './miner/status.ts';
import { mongodbCompare } from './mongodb/compare.ts';
import { mongodbCompatible } from './mongodb/compatible.ts';
import { mongodbNamespaces } from './mongodb/namespaces.ts';
import { mongodbOplogHeadroom } from './mongodb/oplog-headroom.ts';
import { mongodbOplogWindow } from './mongodb/oplog-window.ts';
import { mongodbPrivileges } from './mongodb/privileges.ts';
import { mongodbQuiet } from './mongodb/quiet.ts';
import { mongodbReplicaSet } from './mongodb/replica-set.ts';
import { mongodbUsers } from './mongodb/users.ts';
import { mongodbWrites } from './mongodb/writes.ts';
import { mongomirrorStatus } from './mongomirror/status.ts';
import { mongosyncProgress } from './mongosync/progress.ts';
import { netReach } from './net/reach.ts';
import { nginxRequests } from './nginx/requests.ts';
import { pipPackage } from './pip/package.ts';
import { postgresDatabase } from './postgres/database.ts';
import { postgresTable } from './postgres/table.ts';
import { remesdDowntime } from './remesd/downtime.ts';
import { remesdGenesis } from './remesd/genesis.ts';
import { remesdSignerHeight } from './remesd/signer-height.ts';
import { guarded } from './support/guard.ts';
import { systemdEnvironment } from './systemd/environment.ts';
import { systemdJournal } from './systemd/journal.ts';
import { systemdUnit } from './systemd/unit.ts';
import { tlsCertificate } from './tls/certificate.ts';

/** Everything that an agent can measure, by name. */
export const probes: readonly Probe[] = [
  cometbftStatus,
  connectWorker,
  dnsAnswer,
  envFile,
  hostDiagnosis,
  hostFacts,
  hostFolder,
  httpGet,
  httpPage,
  kafkaGroups,
  kafkaLag,
  kafkaPermissions,
  kafkaTopicsMatch,
  kafkaWatermarks,
  kubernetesEnv,
  kubernetesPermissions,
  kubernetesPods,
  minerStatus,
  netReach,
  nginxRequests,
  pipPackage,
  postgresDatabase,
  postgresTable,
  mongodbCompare,
  mongodbCompatible,
  mongodbNamespaces,
  mongodbOplogHeadroom,
  mongodbOplogWindow,
  mongodbPrivileges,
  mongodbQuiet,
  mongodbReplicaSet,
  mongodbUsers,
  mongodbWrites,
  mongomirrorStatus,
  mongosyncProgress,
  remesdDowntime,
  remesdGenesis,
  remesdSignerHeight,
  systemdEnvironment,
  systemdJournal,
  systemdUnit,
  tlsCertificate,
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
