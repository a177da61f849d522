import { NAME_PATTERN } from '@signalbox/protocol';
import { z } from 'zod';

// Titles are what a diagnostic says was expected; descriptions are what an editor shows.

/** A field that may be given by a parameter. References stand in values, never in ids, kinds or host groups. */
const REFERENCE = String.raw`\$\{[^}]*\}`;
const orReference = (pattern: string) => new RegExp(`^(?:${pattern}|${REFERENCE})$`);

export const Name = z.string().regex(NAME_PATTERN).meta({ title: 'a name of lower-case letters, digits and dashes' });
/** A step's id; inside a run it is unique, with the ids of included steps before it. */
export const StepId = Name;
export const StepPath = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*(\/[a-z0-9][a-z0-9-]*)*$/)
  .meta({ title: 'the id of a step' });
/** Names of parameters, values and fields: what may stand between the dots of a reference. */
export const Word = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]*$/)
  .meta({ title: 'a name of letters, digits, dashes and underscores' });
export const Text = z.string().min(1).max(4_000).meta({ title: 'text' });
export const Flag = z.boolean().meta({ title: 'true or false' });
export const Duration = z
  .string()
  .regex(orReference(String.raw`(?:(?:\d+(?:\.\d+)?|${REFERENCE})(?:ms|s|m|h|d))+`))
  .meta({ title: 'a duration such as 30s or 1h30m' });
export const Moment = z
  .string()
  .regex(orReference(String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)`))
  .meta({ title: 'a time with its zone, such as 2026-11-21T02:00:00+01:00' });
export const Count = (least: number) =>
  z.union([
    z
      .int()
      .min(least)
      .meta({ title: `a whole number, ${least} or more` }),
    z
      .string()
      .regex(new RegExp(`^${REFERENCE}$`))
      .meta({ title: 'a reference' }),
  ]);
export const Share = z
  .union([
    z.int().min(1).meta({ title: 'a number of hosts' }),
    z.string().regex(orReference(String.raw`(?:100|[1-9]\d?)%`)).meta({ title: 'a number of hosts or a percentage' }),
  ])
  .meta({ title: 'a number of hosts, or a percentage such as 25%' });
/** Read later, by the schema of the action, the probe or the parameter that it is for. */
export const Free = z.unknown();
export const FreeMap = z.record(z.string(), Free).meta({ title: 'a mapping' });
export const Labels = z.record(z.string(), z.string()).meta({ title: 'labels, such as { role: node }' });
