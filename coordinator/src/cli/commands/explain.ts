import { closest } from '@signalbox/settings';
import { wrap } from '../../screens/layout.ts';
import type { Cli } from '../cli.ts';
import { cliError } from '../codes.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Topic, topics } from '../topics.ts';

const LABEL = 22;
const WIDTH = 110;

/** `signalbox explain X`: one command for actions, probes, codes, findings and traps. Needs no mesh. */
export async function explain(cli: Cli, name: string | undefined): Promise<ExitCode> {
  const all = topics();
  if (name === undefined) {
    cli.show(
      all.map(({ name: of, kind, summary }) => ({ name: of, kind, summary })),
      () => listLines(all),
    );
    return EXIT.done;
  }
  const topic = all.find((t) => t.name.toLowerCase() === name.toLowerCase());
  if (!topic) {
    const near = closest(
      name,
      all.map((t) => t.name),
    );
    throw cliError(
      'SB-CLI-TOPIC',
      `nothing is called ${name}`,
      near === undefined ? {} : { next: `Did you mean ${near}?` },
    );
  }
  cli.show(topic, () => [`${topic.name}   (${topic.kind})`, '', ...topic.lines.flatMap(labelled)]);
  return EXIT.done;
}

function labelled(line: string): string[] {
  const [label, rest] = line.split(/ {3}(.*)/s);
  if (rest === undefined) return wrap(line, WIDTH);
  return wrap(rest, WIDTH - LABEL).map((part, i) => `${(i === 0 ? (label ?? '') : '').padEnd(LABEL - 1)} ${part}`);
}

function listLines(all: readonly Topic[]): string[] {
  const kinds = ['action', 'probe', 'trap', 'finding', 'code'] as const;
  return kinds.flatMap((kind) => [
    `${kind}s`,
    ...all.filter((topic) => topic.kind === kind).map(({ name, summary }) => `  ${name.padEnd(26)} ${summary}`),
    '',
  ]);
}
