/** What is run while things are killed: one runbook for each way in which steps depend on each other. */
export const KINDS = ['serial', 'parallel', 'batch', 'gated', 'undone', 'crossing'] as const;
export type Kind = (typeof KINDS)[number];

/** Step of the kind `gated` that waits for a person. */
export const APPROVAL = 'go';

interface StepOptions {
  readonly seconds?: number;
  readonly role?: 'boxes' | 'first';
  readonly does?: 'do' | 'fail';
  readonly irreversible?: boolean;
}

function step(
  id: string,
  { seconds = 0.1, role = 'boxes', does = 'do', irreversible = false }: StepOptions = {},
): string {
  const argv = (verb: string) => `["work", ${verb}, "\${run.id}", ${id}, "${seconds}"]`;
  return `- id: ${id}
  hosts: ${role}
  do: exec.run
  timeout: 20s
  with:
    argv: ${argv(does)}
    effect: ${irreversible ? 'irreversible' : 'reversible'}
    probe: { argv: ${argv('probe')} }
${irreversible ? '' : `    undo: { argv: ${argv('undo')} }\n`}`;
}

const gate = (id: string, url: string, more = '') => `- id: ${id}
  hosts: first
  gate:
    probe: http.get
    with: { url: "${url}\${run.id}/${id}" }
    until: { body.value: { atMost: 0 } }
    for: 400ms
    every: 200ms
${more}`;

const indented = (text: string, by: number) => text.replace(/^(?=.)/gm, ' '.repeat(by));
const group = (id: string, keys: string, steps: string) =>
  `- id: ${id}\n  hosts: boxes\n${indented(keys, 2)}  steps:\n${indented(steps, 4)}`;

const STEPS: { readonly [K in Kind]: (dial: string) => string } = {
  serial: () =>
    step('one') + step('two', { seconds: 0.3 }) + step('three') + step('four', { role: 'first' }) + step('five'),
  parallel: () =>
    step('before') +
    group(
      'side-by-side',
      'parallel: true\n',
      step('left', { seconds: 0.4 }) + step('middle', { seconds: 0.2 }) + step('right'),
    ) +
    step('after'),
  batch: () =>
    step('before') +
    group('in-shares', 'batch: { sizes: [1, 2] }\n', step('stopped') + step('started', { seconds: 0.2 })),
  gated: (dial) =>
    step('before') +
    gate('quiet', dial) +
    `- id: ${APPROVAL}\n  approve: { count: 1 }\n` +
    step('after', { seconds: 0.2 }),
  undone: () =>
    step('one') +
    step('two', { seconds: 0.2 }) +
    step('three') +
    step('breaks', { role: 'first', does: 'fail' }) +
    step('never'),
  crossing: (dial) =>
    step('before') +
    gate('still', dial, '  holdUntil: no-way-back\n') +
    `- id: no-way-back\n  pointOfNoReturn:\n    statement: The other side is in charge.\n    guards: [still]\n` +
    step('for-good', { irreversible: true, seconds: 0.2 }) +
    step('and-more', { irreversible: true }),
};

/** How a run of this kind ends when all is well. */
export const endOf = (kind: Kind) => (kind === 'undone' ? 'rolled-back' : 'completed');

/** The text of a runbook for hosts with the label `role: box`. `dial` answers the gates' questions. */
export function runbookOf(kind: Kind, { first, dial }: { first: string; dial: string }): string {
  const steps = STEPS[kind](dial);
  const one = steps.includes('hosts: first') ? `    first: { match: { name: ${first} }, count: 1 }\n` : '';
  return `apiVersion: signalbox/v1
kind: Runbook
metadata:
  name: ${kind}
  summary: Work that is counted, while things are killed
spec:
  hosts:
${one}    boxes: { match: { role: box }, count: { min: 1 } }
  steps:
${indented(steps, 4)}`;
}
