import { mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { findDocker, RealDocker } from '@signalbox/actions/testing';
import { requireReal } from '@signalbox/protocol/testing';
import { onTestFinished } from 'vitest';
import { BASE_IMAGE } from '../../lab/furnish-compose.ts';

/** Whether containers can be run on this machine. */
export const realDocker = () =>
  requireReal('Docker engine as root (Debian: docker.io docker-compose busybox-static)', findDocker());

/** An engine of this test's own, with the image that those of the backend are built on: no program, the machine's are mounted. */
export async function dockerOfTest(): Promise<RealDocker> {
  const engine = await RealDocker.start();
  onTestFinished(() => engine[Symbol.asyncDispose]());
  const root = mkdtempSync(join(engine.dir, 'base-'));
  for (const folder of ['usr', 'code', 'tmp']) mkdirSync(join(root, folder));
  for (const name of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name));
  engine.importRoot(BASE_IMAGE, root);
  return engine;
}
