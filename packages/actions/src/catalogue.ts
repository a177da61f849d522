import type { ActionSpec, JsonObject } from '@signalbox/protocol';
import { z } from 'zod';
import { alembicUpgrade } from './alembic/upgrade.ts';
import { alertmanagerSilence } from './alertmanager/silence.ts';
import { connectOffsetsCopy } from './connect/offsets-copy.ts';
import type { Action } from './contract.ts';
import { dockerStop } from './docker/stop.ts';
import { dockerUp } from './docker/up.ts';
import { earlierUndo } from './earlier/undo.ts';
import { envChange } from './env/change.ts';
import { execRun } from './exec/run.ts';
import { fileBackup } from './file/backup.ts';
import { fileInstall } from './file/install.ts';
import { fileSwap } from './file/swap.ts';
import { gitCheckout } from './git/checkout.ts';
import { goBuild } from './go/build.ts';
import { httpRequest } from './http/request.ts';
import { kafkaOffsetsSet } from './kafka/offsets-set.ts';
import { kubernetesScale } from './kubernetes/scale.ts';
import { kubernetesSetEnvFromSecret } from './kubernetes/set-env-from-secret.ts';
import { kubernetesStart } from './kubernetes/start.ts';
import { mongodbTtlMonitor } from './mongodb/ttl-monitor.ts';
import { mongodbWriteBlock } from './mongodb/write-block.ts';
import { mongomirrorStart } from './mongomirror/start.ts';
import { mongomirrorStop } from './mongomirror/stop.ts';
import { mongosyncCommit } from './mongosync/commit.ts';
import { mongosyncReverse } from './mongosync/reverse.ts';
import { mongosyncStart } from './mongosync/start.ts';
import { nginxUpstream } from './nginx/upstream.ts';
import { npmBuild } from './npm/build.ts';
import { pipInstall } from './pip/install.ts';
import { postgresCopyIn } from './postgres/copy-in.ts';
import { postgresCopyOut } from './postgres/copy-out.ts';
import { postgresDump } from './postgres/dump.ts';
import { postgresRestore } from './postgres/restore.ts';
import { postgresSql } from './postgres/sql.ts';
import { postgresTryRestore } from './postgres/try-restore.ts';
import { remesdAdoptKey } from './remesd/adopt-key.ts';
import { remesdBackup } from './remesd/backup.ts';
import { remesdExport } from './remesd/export.ts';
import { remesdInstall } from './remesd/install.ts';
import { remesdNewHome } from './remesd/new-home.ts';
import { remesdQuery } from './remesd/query.ts';
import { remesdRestore } from './remesd/restore.ts';
import { remesdSetKeyAside } from './remesd/set-key-aside.ts';
import { secretsPut } from './secrets/put.ts';
import { secretsRemoveFile } from './secrets/remove-file.ts';
import { guarded } from './support/guard.ts';
import { systemdDropIn } from './systemd/drop-in.ts';
import { systemdMask } from './systemd/mask.ts';
import { systemdRestart } from './systemd/restart.ts';
import { systemdStart } from './systemd/start.ts';
import { systemdStop } from './systemd/stop.ts';

/** Everything that an agent can do, by name. */
export const actions: readonly Action[] = [
  alembicUpgrade,
  alertmanagerSilence,
  connectOffsetsCopy,
  dockerStop,
  dockerUp,
  earlierUndo((name) => actionByName.get(name)),
  envChange,
  execRun,
  fileBackup,
  fileInstall,
  fileSwap,
  gitCheckout,
  goBuild,
  httpRequest,
  kafkaOffsetsSet,
  kubernetesScale,
  kubernetesSetEnvFromSecret,
  kubernetesStart,
  mongodbTtlMonitor,
  mongodbWriteBlock,
  mongomirrorStart,
  mongomirrorStop,
  mongosyncCommit,
  mongosyncReverse,
  mongosyncStart,
  nginxUpstream,
  npmBuild,
  pipInstall,
  postgresCopyIn,
  postgresCopyOut,
  postgresDump,
  postgresRestore,
  postgresSql,
  postgresTryRestore,
  remesdAdoptKey,
  remesdBackup,
  remesdExport,
  remesdInstall,
  remesdNewHome,
  remesdQuery,
  remesdRestore,
  remesdSetKeyAside,
  secretsPut,
  secretsRemoveFile,
  systemdDropIn,
  systemdMask,
  systemdRestart,
  systemdStart,
  systemdStop,
].map(guarded);

export const actionByName: ReadonlyMap<string, Action> = new Map(actions.map((action) => [action.name, action]));

/** The same as data: what a runbook is checked against, and what agents publish. */
export const actionSpecs: readonly ActionSpec[] = actions.map(toSpec);

function toSpec(action: Action): ActionSpec {
  const { name, version, summary, effect, does, undoes, byHand, leaves, starts, stops, timeoutMs } = action;
  return {
    name,
    version,
    summary,
    effect: typeof effect === 'function' ? 'declared' : effect,
    input: z.toJSONSchema(action.schema, { io: 'input' }) as JsonObject,
    touches: [...action.touches],
    does,
    ...(undoes !== undefined && { undoes }),
    ...(byHand !== undefined && { byHand }),
    ...(leaves !== undefined && { leaves }),
    ...(starts !== undefined && { starts }),
    ...(stops !== undefined && { stops }),
    secrets: [...(action.secrets ?? [])],
    receipt: { ...action.receipt },
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}
