import { z } from 'zod';
import { isJsonObject, type Json } from './json.ts';

/** `env:NAME`, `file:/path`, `aws:SECRET#FIELD`, `sealed:HOST:SENDER:BOX`; the one form that every place accepts. */
export const SECRET_PATTERN =
  '^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+|aws:[A-Za-z0-9/_+=.@:-]+(#[A-Za-z0-9_.-]+)?|sealed:[a-z0-9-]+:X[A-Z2-7]{55}:[A-Za-z0-9_-]+)$';
export const SECRET_FORMS = 'file:/path, env:NAME, aws:SECRET#FIELD or sealed:...';

/** A reference to a secret; the value is read on the host that needs it and goes nowhere else [I9]. */
export type SecretRef = z.infer<typeof SecretRef>;
export const SecretRef = z.strictObject({ $secret: z.string().regex(new RegExp(SECRET_PATTERN), SECRET_FORMS) });

export function isSecretRef(value: Json | undefined): value is SecretRef {
  return isJsonObject(value) && typeof value.$secret === 'string';
}
