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
    ...section('schema', schemaRows(values.alembic)),
    ...entries(values.compose).flatMap(([file, services]) => section(`compose ${file}`, serviceRows(services))),
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
    ...section(
      'versions',
      Object.entries(objectOf(values.versions)).map(([name, said]) => [name, text(said)]),
    ),
    ...entries(values.packages).flatMap(([venv, found]) => ['', `Python packages of ${venv}`, ...wrapped(found)]),
    ...Object.entries(objectOf(values.journal)).flatMap(([unit, lines]) => [
      '',
      `last words of ${unit}`,
      ...(Array.isArray(lines) ? lines.map((line) => `  ${text(line)}`) : []),
    ]),
    ...section(
      'could not be had',
      Object.entries(objectOf(values.missing)).map(([part, why]) => [part, text(why)]),
    ),
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

function schemaRows(alembic: Json | undefined): string[][] {
  return entries(alembic).flatMap(([folder, { current, heads, database, problem }]) => {
    const lead = `the scripts lead to ${text(heads)}`;
    const stand = current === undefined ? lead : `at ${text(current)}, ${current === heads ? 'the newest' : lead}`;
    const of = database === undefined ? '' : text(database);
    return [...(heads === undefined && current === undefined ? [] : [[folder, stand, of]]), ...said(folder, problem)];
  });
}

function serviceRows(services: JsonObject): string[][] {
  const rows = entries(services).map(([name, { image, build, ports, volumes, needs, variables }]) => {
    const fields = { image, build, ports, volumes, needs, variables };
    const shown = Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [] : `${field} ${value}`));
    return [name, shown.join('; ')];
  });
  return [...rows, ...said('problem', services.problem)];
}

const said = (where: string, problem: Json | undefined) => (problem === undefined ? [] : [[where, text(problem)]]);

function section(title: string, rows: string[][]): string[] {
  return rows.length === 0 ? [] : ['', title, ...table(rows).map((line) => `  ${line}`)];
}

const WIDTH = 110;

/** `name version`, as many in a line as fit. */
function wrapped(found: JsonObject): string[] {
  const lines: string[] = [];
  for (const [name, version] of Object.entries(found)) {
    const word = `${name} ${text(version)}`;
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 2 <= WIDTH) lines[lines.length - 1] = `${last}, ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines;
}

const objectOf = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});

/** Those whose value is an object again. */
function entries(value: Json | undefined): [string, JsonObject][] {
  return Object.entries(objectOf(value)).flatMap(([name, inner]) => (isJsonObject(inner) ? [[name, inner]] : []));
}

const text = (value: Json | undefined) => (value === undefined ? '-' : String(value));
const gib = (bytes: Json | undefined) => `${(Number(bytes) / 2 ** 30).toFixed(1)} GiB`;
