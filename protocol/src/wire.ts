import { z } from 'zod';

/**
 * An object on the wire or on disk: fields that this version does not know are kept when it is read, so that a newer
 * side's message survives being passed on. The type shows only what is known.
 */
export function wire<S extends z.ZodRawShape>(shape: S): z.ZodObject<S> {
  return z.looseObject(shape) as unknown as z.ZodObject<S>;
}

const quick = new WeakMap<z.ZodType, z.ZodType>();

/**
 * The same schema, compiled when it is first used: it reads what fits two to four times as fast, and whatever does not
 * fit it hands to the schema as it is, so that it is refused with the same words.
 */
export function compiled<T>(schema: z.ZodType<T>): z.ZodType<T> {
  const known = quick.get(schema);
  if (known) return known as z.ZodType<T>;
  const made = z.compile(schema);
  quick.set(schema, made);
  return made;
}
