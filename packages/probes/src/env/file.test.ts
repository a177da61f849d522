import { LocalHost } from '@signalbox/protocol/testing';
import { expect, it, onTestFinished } from 'vitest';
import { probeByName } from '../catalogue.ts';

it('[T25] counts what a checklist asks for, and names no value', async () => {
  const host = await LocalHost.create();
  onTestFinished(() => host[Symbol.asyncDispose]());
  const sample = (file: string) => probeByName.get('env.file')?.sample(host, { file, origins: 'CORS_ALLOWED_ORIGINS' });
  const bad = `DATABASE_URL="postgresql://u:hunter2@db/x"\nJWT_SECRET=abc\nPORT=8000\nCORS_ALLOWED_ORIGINS=https://r3mes.io,http://localhost:3000,*\n`;
  const values = await sample(await host.write('a.env', bad, 0o644));
  expect(values).toEqual({
    there: true,
    secrets: 2,
    secretNames: 'DATABASE_URL,JWT_SECRET',
    origins: 3,
    localOrigins: 2,
    othersMayRead: true,
  });
  const good = 'DATABASE_URL=postgresql://db/x\nAWS_REGION=eu-west-1\nCORS_ALLOWED_ORIGINS=https://r3mes.io\n';
  expect(await sample(await host.write('b.env', good, 0o600))).toMatchObject({
    secrets: 0,
    localOrigins: 0,
    othersMayRead: false,
  });
  expect(await sample(host.file('none'))).toEqual({ there: false });
});
