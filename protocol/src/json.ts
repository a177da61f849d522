import { z } from 'zod';

export type Scalar = string | number | boolean | null;
export type Json = Scalar | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export const Scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
/** By a function of ours: `z.json()` looks for cycles in every value, and a message that was parsed has none. */
export const Json: z.ZodType<Json> = z.custom<Json>(isJson);
export const JsonObject: z.ZodType<JsonObject> = z.record(z.string(), Json);

function isJson(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      return Array.isArray(value) ? value.every(isJson) : isPlain(value) && Object.values(value).every(isJson);
    default:
      return false;
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
