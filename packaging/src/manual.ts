import { gzipSync } from 'node:zlib';
import type { Command } from 'commander';

export interface ManualOptions {
  /** 1 for what people type, 8 for what a service manager starts (man-pages(7)). */
  section: 1 | 8;
  version: string;
  /** Files that the page names: path and meaning. */
  files: readonly (readonly [path: string, meaning: string])[];
  seeAlso: readonly string[];
}

/** A manual page made from the commands themselves, so that it never knows less than `--help`. */
export function manualPage(program: Command, { section, version, files, seeAlso }: ManualOptions): string {
  const name = program.name();
  return [
    `.TH ${name.toUpperCase()} ${section} "" "signalbox ${version}" "Signalbox"`,
    '.SH NAME',
    `${plain(name)} \\- ${plain(program.description())}`,
    '.SH SYNOPSIS',
    `.B ${plain(name)}`,
    plain(program.usage()),
    '.SH OPTIONS',
    ...options(program),
    '.SH COMMANDS',
    ...program.commands.flatMap((one) => command(one)),
    ...after(program),
    '.SH FILES',
    ...files.flatMap(([path, meaning]) => ['.TP', `.I ${plain(path)}`, plain(meaning)]),
    '.SH SEE ALSO',
    plain(seeAlso.join(', ')),
    '',
  ].join('\n');
}

/** As it lies on a host. The same page gives the same bytes. */
export const compressed = (page: string): Buffer => gzipSync(page, { level: 9 });

/** With those inside it, each under the words that are typed. */
function command(one: Command, before = ''): string[] {
  const name = `${before}${one.name()}`;
  return [
    `.SS ${plain(`${name} ${one.usage()}`)}`,
    plain(one.description()),
    ...options(one),
    ...after(one),
    ...one.commands.flatMap((inner) => command(inner, `${name} `)),
  ];
}

function options(one: Command): string[] {
  return one.options.flatMap(({ flags, description }) => ['.TP', `.B ${plain(flags)}`, plain(description)]);
}

/** What a command's help says after its options: examples, exit codes. */
function after(one: Command): string[] {
  let text = '';
  one.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 76, getOutHasColors: () => false });
  one.outputHelp();
  const found = /\n((?:Examples?|Exit codes):[\s\S]*)$/.exec(text)?.[1];
  return found === undefined ? [] : ['.PP', '.nf', ...found.trimEnd().split('\n').map(plain), '.fi'];
}

/** roff(7) reads a backslash, a hyphen, and a dot or quote at the start of a line. */
function plain(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^([.'])/gm, '\\&$1');
}
