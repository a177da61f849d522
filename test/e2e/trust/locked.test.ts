import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sayTo } from '../../lab/child.ts';
import { InitMesh } from '../../lab/init-mesh.ts';
import { PROGRAMS } from '../../lab/programs.ts';

const world = new InitMesh();
beforeAll(() => world.start());
afterAll(() => world.end());

it('a stolen laptop asks the mesh for nothing: its key is worth nothing without what its owner knows', async () => {
  const passphrase = join(world.root, 'passphrase');
  writeFileSync(passphrase, 'nobody else knows\n', { mode: 0o600 });
  const env = { SIGNALBOX_PASSPHRASE_FILE: passphrase };
  const own = ['--config', world.settings];
  const seedFile = join(world.dir, 'operator', 'ayse.seed');
  const seed = readFileSync(seedFile, 'utf8').trim();

  expect((await sayTo([PROGRAMS.signalbox, ...own, 'key', 'lock'], { env })).exitCode).toBe(0);
  expect((await sayTo([PROGRAMS.signalbox, ...own, 'hosts'], { env })).exitCode).toBe(0);

  const stolen = join(world.root, 'stolen');
  cpSync(join(world.dir, 'operator'), stolen, { recursive: true });
  expect(readFileSync(join(stolen, 'ayse.seed'), 'utf8')).not.toContain(seed);
  for (const words of [['hosts'], ['approve', 'r-1', 'go', '--yes'], ['start', 'plan.json', '--yes']]) {
    const thief = await sayTo([PROGRAMS.signalbox, '--config', join(stolen, 'signalbox.yaml'), ...words]);
    expect([thief.exitCode, thief.stderr], words[0]).toEqual([2, expect.stringContaining('SB-CLI-PASSPHRASE')]);
  }
  writeFileSync(passphrase, 'a guess of theirs\n');
  const guess = await sayTo([PROGRAMS.signalbox, '--config', join(stolen, 'signalbox.yaml'), 'hosts'], { env });
  expect([guess.exitCode, guess.stderr]).toEqual([2, expect.stringContaining('not the passphrase')]);
});
