import { ACTION_CODES, actionSpecs, TRAPS } from '@signalbox/actions';
import { BUS_CODES } from '@signalbox/bus';
import { PROBE_CODES, probeSpecs } from '@signalbox/probes';
import {
  type ActionSpec,
  AGENT_CODES,
  type CodeCatalogue,
  isJsonObject,
  type JsonObject,
  POLICY_CODES,
  PROTOCOL_CODES,
  type ProbeSpec,
} from '@signalbox/protocol';
import { FINDINGS } from '@signalbox/runbook';
import { SEQUENCER_CODES } from '@signalbox/sequencer';
import { SETTINGS_CODES } from '@signalbox/settings';
import { COORDINATOR_CODES } from '../daemon/codes.ts';
import { CLI_CODES } from './codes.ts';

/** Something that `explain` can tell about. */
export interface Topic {
  readonly name: string;
  readonly kind: 'action' | 'probe' | 'code' | 'finding' | 'trap';
  readonly summary: string;
  readonly lines: readonly string[];
}

const CATALOGUES: readonly CodeCatalogue[] = [
  PROTOCOL_CODES,
  AGENT_CODES,
  POLICY_CODES,
  BUS_CODES,
  SEQUENCER_CODES,
  COORDINATOR_CODES,
  ACTION_CODES,
  PROBE_CODES,
  SETTINGS_CODES,
  CLI_CODES,
];

/** Everything that can be explained, from the same data that the programs run on. */
export function topics(): Topic[] {
  return [
    ...actionSpecs.map(actionTopic),
    ...probeSpecs.map(probeTopic),
    ...Object.entries(TRAPS).map(([name, { title, guide, happens, signalbox }]): Topic => {
      const told = { 'guides say': guide, 'what goes wrong': happens, 'what happens here': signalbox };
      const lines = Object.entries(told).map(([label, text]) => `${label}   ${inOneLine(text)}`);
      return { name, kind: 'trap', summary: title, lines };
    }),
    ...CATALOGUES.flatMap((catalogue) => codeTopics(catalogue, 'code')),
    ...Object.entries(FINDINGS).map(([name, { means, next, severity }]): Topic => {
      return { name, kind: 'finding', summary: means, lines: [`${severity}: ${means}`, `next   ${next}`] };
    }),
  ];
}

/** The data is Markdown with lines of its own; a terminal wraps by itself. */
function inOneLine(text: string): string {
  return text.replaceAll('`', '').replaceAll('**', '').replaceAll(/\s+/g, ' ');
}

function codeTopics(catalogue: CodeCatalogue, kind: 'code'): Topic[] {
  return Object.entries(catalogue).map(([name, { class: policy, means, next }]) => ({
    name,
    kind,
    summary: means,
    lines: [means, `next   ${next}`, `class   ${POLICY[policy]}`],
  }));
}

const POLICY = {
  retryable: 'retryable: the same thing may be tried again',
  terminal: 'terminal: trying again gives the same answer',
  unknown: 'unknown: it may or may not have been done',
} as const;

function actionTopic(spec: ActionSpec): Topic {
  const lines = [
    spec.summary,
    `effect   ${spec.effect === 'declared' ? 'stated by the author in `with.effect`' : spec.effect}`,
    `in a plan   ${spec.does}`,
    `undo   ${spec.undoes ?? 'none'}`,
    ...(spec.byHand === undefined ? [] : [`by hand   ${spec.byHand}`]),
    ...(spec.leaves === undefined ? [] : [`leaves behind   ${spec.leaves}`]),
    ...fieldLines(spec.input, spec.secrets),
    ...Object.entries(spec.receipt).map(([name, help]) => `receipt ${name}   ${help}`),
  ];
  return { name: spec.name, kind: 'action', summary: spec.summary, lines };
}

function probeTopic(spec: ProbeSpec): Topic {
  const values = Object.entries(spec.values).map(([name, { type, unit, help }]) => {
    return `value ${name}   ${type}${unit === undefined ? '' : `, ${unit}`}: ${help}`;
  });
  const open = spec.open ? ['value ...   more, depending on what is measured'] : [];
  return {
    name: spec.name,
    kind: 'probe',
    summary: spec.summary,
    lines: [spec.summary, ...fieldLines(spec.input, spec.secrets), ...values, ...open],
  };
}

/** The fields of `with`, from the JSON Schema that runbooks are checked against. */
function fieldLines({ properties, required }: JsonObject, secrets: readonly string[]): string[] {
  const wanted = Array.isArray(required) ? required : [];
  return Object.entries(isJsonObject(properties) ? properties : {}).map(([name, schema]) => {
    const { type, description, default: preset } = isJsonObject(schema) ? schema : {};
    const marks = [
      typeof type === 'string' ? type : 'any',
      wanted.includes(name) ? 'wanted' : 'optional',
      ...(preset === undefined ? [] : [`default ${JSON.stringify(preset)}`]),
      ...(secrets.includes(name) ? ['a secret reference'] : []),
    ];
    return `with ${name}   ${marks.join(', ')}${typeof description === 'string' ? `: ${description}` : ''}`;
  });
}
