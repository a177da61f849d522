import type { HostContext } from '@signalbox/protocol';
import { optionOf, type UnitReading } from '@signalbox/protocol/readings';
import { actionError } from '../codes.ts';
import { lookAtUnit, unitProblems } from '../support/unit.ts';

/** What a unit says of the mirror that it runs: the command line of MongoMirror. */
export interface MirrorUnit {
  unit: string;
  reading: UnitReading;
  /** `RS/host:port,host:port` */
  host: string | undefined;
  destination: string | undefined;
  /** Databases and collections; none: everything. */
  includes: string[];
  bookmark: string | undefined;
  oplogPath: string | undefined;
  statusPort: string | undefined;
  drop: boolean;
}

/** @throws SB-ACT-UNIT-MISSING, and what asking systemd throws */
export async function readMirrorUnit(context: HostContext, unit: string): Promise<MirrorUnit> {
  const reading = await lookAtUnit(context, unit);
  const [problem] = unitProblems(unit, reading);
  if (problem) throw actionError('SB-ACT-UNIT-MISSING', problem.message);
  const argv = reading.exec?.argv ?? [];
  return {
    unit,
    reading,
    host: optionOf(argv, '--host'),
    destination: optionOf(argv, '--destination'),
    includes: [...allOf(argv, '--includeNamespace'), ...allOf(argv, '--includeDB')],
    bookmark: optionOf(argv, '--bookmarkFile'),
    oplogPath: optionOf(argv, '--oplogPath'),
    statusPort: optionOf(argv, '--httpStatusPort'),
    drop: argv.includes('--drop'),
  };
}

function allOf(argv: readonly string[], option: string): string[] {
  return argv.flatMap((word, i) => {
    if (word.startsWith(`${option}=`)) return [word.slice(option.length + 1)];
    const next = argv[i + 1];
    return word === option && next !== undefined ? [next] : [];
  });
}

/** What is wrong with one mirror's command line, whatever it copies. */
export function commandLineProblems({ unit, bookmark, statusPort, drop }: MirrorUnit): string[] {
  return [
    ...(statusPort === undefined ? [`${unit} has no --httpStatusPort: nothing can be known of it`] : []),
    ...(bookmark === undefined ? [`${unit} has no --bookmarkFile: after a crash it would copy everything anew`] : []),
    ...(drop ? [`${unit} has --drop: a restart would delete what was copied`] : []),
  ];
}

/** `RS/h1:1,h2:2` against what the source really is: the name must be the set's, each host one of its members. */
export function addressProblem(
  words: { unit: string; option: string; given: string | undefined },
  real: { setName: string; hosts: readonly string[] },
): string[] {
  const { unit, option, given = '' } = words;
  const [set, list = ''] = given.split('/');
  const hosts = list.split(',').filter(Boolean);
  const good = set === real.setName && hosts.length > 0 && hosts.every((host) => real.hosts.includes(host));
  return good ? [] : [`${unit} has ${option} ${given || '(none)'}; meant is ${real.setName}/${real.hosts.join(',')}`];
}

/** Several mirrors at once: what two of them share, and what two of them would copy [T37]. */
export function sharingProblems(mirrors: readonly MirrorUnit[]): string[] {
  const found: string[] = [];
  for (const [i, a] of mirrors.entries()) {
    for (const b of mirrors.slice(i + 1)) {
      const both = `${a.unit} and ${b.unit}`;
      for (const what of ['bookmark', 'statusPort', 'oplogPath'] as const) {
        if (a[what] !== undefined && a[what] === b[what]) found.push(`${both} share their ${what} ${a[what]}`);
      }
      const overlap = overlapOf(a.includes, b.includes);
      if (overlap !== undefined) found.push(`${both} both copy ${overlap}`);
    }
  }
  return found;
}

function overlapOf(a: readonly string[], b: readonly string[]): string | undefined {
  if (a.length === 0 || b.length === 0) return 'everything';
  return (
    a.find((name) => b.some((other) => covers(other, name))) ?? b.find((name) => a.some((other) => covers(other, name)))
  );
}

/** `shop` covers `shop` and `shop.orders`. */
export function covers(filter: string, namespace: string): boolean {
  return namespace === filter || namespace.startsWith(`${filter}.`);
}
