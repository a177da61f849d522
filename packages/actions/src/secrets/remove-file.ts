import { rm } from 'node:fs/promises';
import { withSecretStore } from '@signalbox/protocol/aws';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { HostPath, lookAtFile, sha256Text, syncFolderOf } from '../support/files.ts';
import { fieldsOf, inStore, Keys, SecretId, valuesOf } from './env-values.ts';

const With = z.strictObject({
  id: SecretId,
  file: HostPath.describe('The environment file whose values were moved: its last copy on this host.'),
  keys: Keys,
});
type With = z.infer<typeof With>;

export const secretsRemoveFile = defineAction<With>({
  name: 'secrets.removeFile',
  version: 1,
  summary: 'Removes a file with secrets for good, after proving by hash that the store has every one of them.',
  schema: With,
  effect: 'irreversible',
  does: 'remove {file}, whose secrets are in {id}',
  touches: ['path:{file}'],
  receipt: { removed: 'whether this execution removed it' },

  // The file may be one that the run makes, and the store is asked again before anything is removed.
  check: async (_context, { file }) => ({
    before: {},
    note: (await lookAtFile(file)) ? 'there' : 'gone already',
    problems: [],
  }),

  async run(_context, { id, file, keys }) {
    if (!(await lookAtFile(file))) return { removed: false };
    const values = await valuesOf(file, keys);
    const found = await inStore(
      id,
      withSecretStore((store) => store.read(id)),
    );
    const fields = fieldsOf(id, found?.value);
    const differs = [...values].filter(([key, value]) => sha256Text(String(fields[key] ?? '')) !== sha256Text(value));
    if (differs.length > 0) {
      const names = differs.map(([key]) => key).join(', ');
      throw actionError('SB-ACT-SECRET-DIFFERS', `${id} has other values than ${file}: ${names}`);
    }
    await rm(file);
    await syncFolderOf(file);
    return { removed: true };
  },

  async probe(_context, { file }) {
    return (await lookAtFile(file)) ? 'not-applied' : 'applied';
  },
});
