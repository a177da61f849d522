// `npm run demo`: the upgrade that goes well, the one that goes wrong and survives sabotage, and the proof.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Janitor } from '../lab/janitor.ts';
import { runDemo } from './demo.ts';
import { readOptions, USAGE } from './options.ts';
import { Screen } from './screen.ts';

const BAD_USAGE = 2;

async function main(): Promise<void> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exitCode = BAD_USAGE;
    return;
  }
  if (options === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  // With --json standard output belongs to the one object at the end.
  const screen = new Screen(options.json ? process.stderr : process.stdout);
  const janitor = new Janitor();
  // Without links: a policy is not read through one, and allows the places where things really are.
  const dir = mkdtempSync(join(realpathSync(tmpdir()), 'signalbox-demo-'));
  janitor.add('folder', async () => rmSync(dir, { recursive: true, force: true }));
  janitor.onSignals(() => {
    screen.hideFooter();
    screen.print('', 'ending everything that was started …');
  });
  try {
    process.exitCode = await runDemo({ options, screen, janitor, dir });
  } catch (error) {
    screen.hideFooter();
    const why = error instanceof Error ? error.message : error;
    if (!janitor.isSweeping) screen.print('', screen.paint.red(`the demo cannot go on: ${why}`));
    process.exitCode = 1;
  } finally {
    screen.hideFooter();
    await janitor.sweep();
  }
}

await main();
