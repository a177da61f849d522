import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const DIST = new URL('../../dist/', import.meta.url).href;
/** In Node itself, as agents run it: a test runner makes names of a CommonJS package out of more than Node does. */
const PROGRAM = `
import { withKafka } from '${DIST}kafka/index.js';
import { LocalHost } from '${DIST}testing/index.js';
const host = await LocalHost.create();
const fail = (message) => new Error(\`said by the caller: \${message}\`);
const access = { connection: { brokers: '127.0.0.1:1' }, fail };
await withKafka(host, access, async () => {}).catch((error) => console.log(error.message));
await host[Symbol.asyncDispose]();
`;

it('knows an error of the client from any other, so that a broker that is away is said to be away', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM]);
  expect(stdout).toMatch(/^said by the caller: .*127\.0\.0\.1:1/);
});
