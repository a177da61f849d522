import { isJsonObject, type Json, type JsonObject } from '@signalbox/protocol';
import { table } from './layout.ts';

/** What `host.diagnosis` saw of a host, for a person. */
export function diagnosisScreen({ mesh, host, values }: { mesh: string; host: string; values: JsonObject }): string[] {
  const units = entries(values.units);
  return [
    `DIAGNOSE ${host}   mesh ${mesh}`,
    ...section('units', unitRows(units)),
    ...units.flatMap(([unit, facts]) =>
      facts.variables ? ['', `variables of ${unit}`, `  ${String(facts.variables)}`] : [],
    ),
    ...section(
      'containers',
      entries(values.containers).map(([name, { image, status }]) => [name, text(image), text(status)]),
    ),
    ...section(
      'disks',
      entries(values.disks).map(([path, { sizeBytes, freeBytes }]) => [
        path,
        `${gib(freeBytes)} of ${gib(sizeBytes)} free`,
      ]),
    ),
    ...journalLines(isJsonObject(values.journal) ? values.journal : {}),
    ...(isJsonObject(values.journal) ? [] : ['', 'no journal to read on this host']),
  ];
}

function unitRows(units: readonly [string, JsonObject][]): string[][] {
  return units.map(([unit, { activeState, subState, restarts, program }]) => [
    unit,
    `${text(activeState)} (${text(subState)})`,
    `restarts ${text(restarts)}`,
    text(program),
  ]);
}

function section(title: string, rows: string[][]): string[] {
  return rows.length === 0 ? [] : ['', title, ...table(rows).map((line) => `  ${line}`)];
}

function journalLines(journal: JsonObject): string[] {
  return Object.entries(journal).flatMap(([unit, lines]) => [
    '',
    `last words of ${unit}`,
    ...(Array.isArray(lines) ? lines.map((line) => `  ${text(line)}`) : []),
  ]);
}

function entries(value: Json | undefined): [string, JsonObject][] {
  return Object.entries(isJsonObject(value) ? value : {}).map(([name, inner]) => [
    name,
    isJsonObject(inner) ? inner : {},
  ]);
}

const text = (value: Json | undefined) => (value === undefined ? '-' : String(value));
const gib = (bytes: Json | undefined) => `${(Number(bytes) / 2 ** 30).toFixed(1)} GiB`;
