import { z } from 'zod';

/**
 * An object on the wire or on disk: fields that this version does not know are kept when it is read, so that a newer
 * side's message survives being passed on. The type shows only what is known.
 */
export function wire<S extends z.ZodRawShape>(shape: S): z.ZodObject<S> {
  return z.looseObject(shape) as unknown as z.ZodObject<S>;
}
