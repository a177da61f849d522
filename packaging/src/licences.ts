import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inRepository } from './repository.ts';

const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.|-|$)/i;

/**
 * The `copyright` of a package: Signalbox's own licence, and those of everything that was bundled with it.
 * @throws Error when a bundled package has no licence that could be passed on.
 */
export function copyrightText(folders: readonly string[]): string {
  return [
    'Signalbox is licensed under the Apache License, Version 2.0; the text follows. This package carries other people’s work',
    'as well: Node.js and the npm packages below, each under the licence that is printed with it.',
    '',
    readFileSync(inRepository('LICENSE'), 'utf8'),
    ...folders.map(licenceOf),
    section('Node.js', nodeLicence()),
  ].join('\n');
}

function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: unknown;
  };
  const files = readdirSync(folder).filter((file) => LICENCE_FILE.test(file));
  if (files.length === 0 && typeof license !== 'string') throw new Error(`${name} has no licence to pass on`);
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trimEnd());
  return section(`${name} ${version} (${String(license)})`, texts.join('\n\n'));
}

/** Where the official archives and the Debian packages of Node keep it. */
function nodeLicence(): string {
  const prefix = dirname(dirname(process.execPath));
  const places = [join(prefix, 'LICENSE'), join(prefix, 'share', 'doc', 'nodejs', 'LICENSE')];
  const found = places.find((path) => existsSync(path));
  return found === undefined
    ? 'MIT and others: https://github.com/nodejs/node/blob/main/LICENSE'
    : readFileSync(found, 'utf8');
}

function section(title: string, text: string): string {
  return `${'-'.repeat(100)}\n${title}\n${'-'.repeat(100)}\n${text}\n`;
}
