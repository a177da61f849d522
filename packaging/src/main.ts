#!/usr/bin/env node
import { statSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { Compression } from './debian.ts';
import { buildPackages } from './packages.ts';
import { inRepository } from './repository.ts';

const options = new Command('npm run package --')
  .description('Builds the Debian packages signalbox-agent and signalbox, each with the Node that runs this.')
  .option('--out <folder>', 'where they go', inRepository('dist', 'packages'))
  .option('--set-version <version>', 'another version than that of package.json')
  .addOption(new Option('--compression <how>', 'none is quick').choices(['xz', 'none']).default('xz'))
  .parse()
  .opts<{ out: string; setVersion?: string; compression: Compression }>();

await buildPackages({
  outDir: options.out,
  compression: options.compression,
  ...(options.setVersion === undefined ? {} : { version: options.setVersion }),
  say: (file) => process.stdout.write(`${file}  ${(statSync(file).size / 2 ** 20).toFixed(1)} MiB\n`),
});
