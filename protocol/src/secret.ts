import { z } from 'zod';
import { isJsonObject, type Json } from './json.ts';

/** A reference to a secret; the value is read on the host that needs it and goes nowhere else [I9]. */
export type SecretRef = z.infer<typeof SecretRef>;
export const SecretRef = z.strictObject({
  $secret: z
    .string()
    .regex(
      /^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+|aws:[A-Za-z0-9/_+=.@:-]+(#[A-Za-z0-9_.-]+)?)$/,
      'env:NAME, file:/absolute/path, or aws:SECRET#FIELD',
    ),
});

export function isSecretRef(value: Json | undefined): value is SecretRef {
  return isJsonObject(value) && typeof value.$secret === 'string';
}
