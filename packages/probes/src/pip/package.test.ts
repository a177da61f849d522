import { chmod, chown, mkdir, readFile } from 'node:fs/promises';
import { LocalHost, StandInUnits } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pipPackage } from './package.ts';

const OWNER = 12_345;

let host: LocalHost;
beforeEach(async () => {
  host = await LocalHost.create();
  await new StandInUnits(host).install();
});
afterEach(() => host[Symbol.asyncDispose]());

describe('pip.package', () => {
  it.runIf(process.geteuid?.() === 0)('runs what is in an environment as its owner, never as root', async () => {
    const venv = host.file('venv');
    await mkdir(`${venv}/bin`, { recursive: true });
    for (const path of [host.dir, venv, `${venv}/bin`]) await chmod(path, 0o755);
    await chown(venv, OWNER, OWNER);
    const metadata = await host.write('venv/x.dist-info/METADATA', '');
    const said = JSON.stringify({ version: '1.0.0', folder: metadata.replace(/\/METADATA$/, '') });
    await host.write('venv/bin/python', `#!/bin/sh\nid -u >> ${venv}/ran-as\necho '${said}'\n`, 0o755);
    await host.write('venv/bin/pip', `#!/bin/sh\nid -u >> ${venv}/ran-as\n`, 0o755);

    const input = { venv, requirement: 'x==1.0.0', unit: 'x.service' };
    expect(await pipPackage.sample(host, input)).toMatchObject({ asPinned: true, consistent: true, running: false });
    expect(await readFile(`${venv}/ran-as`, 'utf8')).toBe(`${OWNER}\n${OWNER}\n`);
  });
});
