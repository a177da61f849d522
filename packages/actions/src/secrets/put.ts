import { createHash } from 'node:crypto';
import { type HostContext, isJsonObject, type JsonObject } from '@signalbox/protocol';
import { withSecretStore } from '@signalbox/protocol/aws';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { HostPath, sha256Text } from '../support/files.ts';
import { fieldsOf, inStore, Keys, SecretId, valuesOf } from './env-values.ts';

const With = z.strictObject({
  id: SecretId,
  file: HostPath.describe('The environment file that has the values now.'),
  keys: Keys,
});
type With = z.infer<typeof With>;

export const secretsPut = defineAction<With>({
  name: 'secrets.put',
  version: 1,
  summary:
    'Puts values of an environment file into AWS Secrets Manager, from the host that has them, and proves by hash that they can be read back.',
  schema: With,
  effect: 'reversible',
  does: 'put values of {file} into the secret {id}',
  undoes: 'the version before made current again, or the secret that was made removed',
  leaves: 'the version that was written, without a label, until AWS removes it',
  touches: ['secret:{id}'],
  receipt: {
    before: 'id of the version that was current; null when there was no secret',
    version: 'id of the one now',
  },
  timeoutMs: 2 * 60_000,

  async check(context, { id, file, keys }) {
    await valuesOf(file, keys);
    const found = await inStore(
      id,
      withSecretStore((store) => store.read(id)),
    );
    fieldsOf(id, found?.value);
    const note = `${found ? 'adds to' : 'makes'} ${id}: ${keys.map(({ key }) => key).join(' ')}`;
    return { before: { before: found?.versionId ?? null, own: { version: versionOf(context) } }, note, problems: [] };
  },

  async run(_context, { id, file, keys }, receipt) {
    const { before, version } = recorded(receipt);
    const values = await valuesOf(file, keys);
    await inStore(
      id,
      withSecretStore(async (store) => {
        const found = await store.read(id);
        if (found?.versionId === version) return;
        if (found?.versionId !== before) throw changed(id);
        const value = JSON.stringify({ ...fieldsOf(id, found?.value), ...Object.fromEntries(values) });
        await store.write(id, { value, versionId: version, existed: found !== undefined });
        const back = await store.read(id);
        if (back === undefined || sha256Text(back.value) !== sha256Text(value)) {
          throw actionError('SB-ACT-SECRET-DIFFERS', `${id} reads back another value than was written`);
        }
      }),
    );
    return { version };
  },

  async undo(_context, { id }, receipt) {
    if (Object.keys(receipt).length === 0) return { restored: false };
    const { before, version } = recorded(receipt);
    return await inStore(
      id,
      withSecretStore(async (store) => {
        const now = await store.read(id);
        if (now?.versionId === before) return { restored: false };
        if (now?.versionId !== version) throw changed(id);
        if (before === undefined) await store.remove(id);
        else {
          await store.goBack(id, { from: version, to: before });
          if ((await store.read(id))?.versionId !== before) {
            throw actionError('SB-ACT-SECRET-DIFFERS', `${id} was put back, and the version before is not current`);
          }
        }
        return { restored: true };
      }),
    );
  },

  async probe(_context, { id }, { direction, receipt }) {
    const { before, version } = recorded(receipt);
    const now = await inStore(
      id,
      withSecretStore((store) => store.read(id)),
    );
    if (now?.versionId === (direction === 'do' ? version : before)) return 'applied';
    return now?.versionId === (direction === 'do' ? before : version) ? 'not-applied' : 'cannot-tell';
  },
});

const changed = (id: string) =>
  actionError('SB-ACT-CHANGED-MEANWHILE', `${id} has a version that this step did not write`);

/** AWS takes a version's id from the caller, 32 to 64 characters: the same attempt writes the same version. */
function versionOf({ executionId }: HostContext): string {
  return createHash('sha256').update(executionId).digest('hex').slice(0, 36);
}

/** @throws SB-ACT-NO-RECEIPT */
function recorded({ before, own }: JsonObject) {
  const version = isJsonObject(own) ? own.version : undefined;
  if (typeof version !== 'string' || (typeof before !== 'string' && before !== null)) {
    throw actionError('SB-ACT-NO-RECEIPT', 'which version of the secret was current was not recorded');
  }
  return { before: before ?? undefined, version };
}
