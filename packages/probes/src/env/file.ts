import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';

const With = z.strictObject({
  file: z.string().startsWith('/').describe('The environment file.'),
  origins: z
    .string()
    .default('CORS_ALLOWED_ORIGINS')
    .describe('The variable with the origins that browsers may come from.'),
});

/** Names of things that nobody should read in a file, and URLs with a password in them. */
const SECRET_NAME = /(SECRET|PASSWORD|PASSWD|TOKEN|PRIVATE_KEY|API_KEY|MNEMONIC)(_|$)/;
const SECRET_URL = /^[a-z][a-z0-9+.-]*:\/\/[^/@\s]*:[^/@\s]+@/i;
const LOCAL = /^(https?:\/\/)?(localhost|127\.|0\.0\.0\.0|\[::1\])/;

export const envFile = defineProbe<z.infer<typeof With>>({
  name: 'env.file',
  version: 1,
  summary:
    'What a checklist wants of an environment file: no secret left in it, no localhost among the origins, not for others to read.',
  schema: With,
  values: {
    there: { type: 'boolean', help: 'whether the file is there' },
    secrets: { type: 'number', help: 'variables that hold a secret' },
    secretNames: { type: 'string', help: 'their names, with a comma between; never a value' },
    origins: { type: 'number', help: 'how many origins are allowed; absent when the variable is not set' },
    localOrigins: { type: 'number', help: 'how many of them are localhost or its like, or everybody (`*`)' },
    othersMayRead: { type: 'boolean', help: 'whether users other than its owner may read it' },
  },

  async sample(_context, { file, origins }) {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) return { there: false };
    const variables = text.split('\n').flatMap((line) => {
      const [, name, value] = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=["']?(.*?)["']?\s*$/.exec(line) ?? [];
      return name !== undefined && value ? [{ name, value }] : [];
    });
    const secret = variables.filter(({ name, value }) => SECRET_NAME.test(name) || SECRET_URL.test(value));
    const allowed = variables
      .find(({ name }) => name === origins)
      ?.value.split(',')
      .map((origin) => origin.trim());
    const local = allowed?.filter((origin) => origin === '*' || LOCAL.test(origin));
    return {
      there: true,
      secrets: secret.length,
      secretNames: secret.map(({ name }) => name).join(','),
      ...(allowed && local && { origins: allowed.length, localOrigins: local.length }),
      othersMayRead: ((await stat(file)).mode & 0o077) !== 0,
    };
  },
});
