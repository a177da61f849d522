import { readFile } from 'node:fs/promises';
import { isJsonObject, type JsonObject } from '@signalbox/protocol';
import { StoreError } from '@signalbox/protocol/aws';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { parseEnv, valueIn } from '../env/parse.ts';
import { lookAtFile } from '../support/files.ts';

export const SecretId = z
  .string()
  .regex(/^[A-Za-z0-9/_+=.@-]{1,256}$/, 'a name or ARN of AWS Secrets Manager, as in r3mes/production')
  .describe('The secret in AWS Secrets Manager, a JSON object; other fields of it stay.');

export const Keys = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a name such as DATABASE_URL'),
      key: z.string().regex(/^[A-Za-z0-9_.-]+$/, 'a field such as database_url'),
    }),
  )
  .min(1)
  .describe('Variables of the file, and the fields of the secret that they become.');
export type Keys = z.infer<typeof Keys>;

/** The values of a file, by the field that each becomes. @throws SB-ACT-SOURCE-MISSING, SB-ACT-ENV-BLANK */
export async function valuesOf(file: string, keys: Keys): Promise<Map<string, string>> {
  if (!(await lookAtFile(file))) throw actionError('SB-ACT-SOURCE-MISSING', `${file} is not there`);
  const lines = parseEnv(await readFile(file, 'utf8'), file);
  return new Map(
    keys.map(({ name, key }) => {
      const value = valueIn(lines, name);
      if (value === undefined || value === '')
        throw actionError('SB-ACT-ENV-BLANK', `${file} has no value for ${name}`);
      return [key, value];
    }),
  );
}

/** What a secret holds as an object; an empty one when there is none. @throws SB-ACT-SECRET-FORM */
export function fieldsOf(id: string, text: string | undefined): JsonObject {
  if (text === undefined) return {};
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    // Told below, without a word of what is in it [I9].
  }
  const object = fields as JsonObject[string];
  if (isJsonObject(object)) return object;
  throw actionError('SB-ACT-SECRET-FORM', `${id} is no JSON object`);
}

/** What the store answers, in the words of an action. */
export function inStore<T>(id: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (!(error instanceof StoreError)) throw error;
    throw actionError('SB-ACT-SECRET-STORE', `${id}: ${error.message}`);
  });
}
