import { readFile } from 'node:fs/promises';
import { SecretRef } from '@signalbox/protocol';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { lookAtUnit, UnitName } from '../support/unit.ts';

const Name = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a name such as DATABASE_URL');

const With = z.strictObject({
  unit: UnitName.describe('With its suffix, as in `r3mes-miner.service`.'),
  expect: z
    .array(z.strictObject({ name: Name, value: z.string() }))
    .default([])
    .describe('Values that are no secrets: a plan is read by many.'),
  secrets: z.record(Name, SecretRef).default({}).describe('By name, where the value is to be had on this host.'),
  absent: z.array(Name).default([]).describe('Names that must not be there any more.'),
});

export const systemdEnvironment = defineProbe<z.infer<typeof With>>({
  name: 'systemd.environment',
  version: 1,
  summary:
    'What the running main process of a unit really has in its environment, compared on the host; no value leaves it.',
  schema: With,
  secrets: ['secrets'],
  values: {
    mainPid: { type: 'number', help: 'the process that was read; absent when none runs' },
    asExpected: {
      type: 'boolean',
      help: 'whether all of `expect` and `secrets` are there with their value, and nothing of `absent`',
    },
    differs: { type: 'string', help: 'names that are missing, have another value, or should be gone; empty when none' },
    names: { type: 'string', help: 'all names, with a comma between' },
  },

  async sample(context, { unit, expect, secrets, absent }) {
    const { mainPid } = await lookAtUnit(context, unit);
    if (mainPid === 0) return {};
    const environment = await environmentOf(mainPid);
    const wanted = new Map(expect.map(({ name, value }) => [name, value]));
    for (const [name, ref] of Object.entries(secrets)) wanted.set(name, await context.secret(ref));
    const wrong = [...wanted].flatMap(([name, value]) => (environment.get(name) === value ? [] : [name]));
    const differs = [...wrong, ...absent.filter((name) => environment.has(name))].sort();
    const names = [...environment.keys()].sort().join(',');
    return { mainPid, asExpected: differs.length === 0, differs: differs.join(','), names };
  },
});

/** proc(5): what the process was started with, each pair ended by a null byte. Later changes of its own do not show. */
async function environmentOf(pid: number): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(`/proc/${pid}/environ`, 'utf8');
  return new Map(
    text.split('\0').flatMap((pair): [string, string][] => {
      const at = pair.indexOf('=');
      return at > 0 ? [[pair.slice(0, at), pair.slice(at + 1)]] : [];
    }),
  );
}
