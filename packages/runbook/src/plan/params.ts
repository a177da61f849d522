import type { Json, JsonObject } from '@signalbox/protocol';
import type { Report } from '../diagnostic.ts';
import type { Param } from '../model.ts';
import { type Entry, get } from '../node.ts';
import { isParamValues, type ParamValues, paramsOf } from '../param-values.ts';
import { readTyped, withItemDefaults } from '../params.ts';
import { hintFor } from '../suggest.ts';
import { hasPassword } from '../types.ts';

/** The parameters of a runbook with their values, defaults filled in. A secret is its reference. */
export function resolveParams(
  declared: ReadonlyMap<string, Param>,
  given: ParamValues | JsonObject,
  report: Report,
): Map<string, Json> {
  const { values } = isParamValues(given) ? given : paramsOf(given);
  for (const [name, { key }] of values) {
    if (declared.has(name)) continue;
    const hint = hintFor(name, declared.keys());
    report('SB231', key, { message: `The runbook has no parameter \`${name}\`.`, hint });
  }
  return readValues(declared, values, report);
}

/** The same for what an inclusion gives to the steps that it includes. */
export function readValues(
  declared: ReadonlyMap<string, Param>,
  values: ReadonlyMap<string, Entry>,
  report: Report,
): Map<string, Json> {
  const resolved = new Map<string, Json>();
  for (const param of declared.values()) {
    const node = values.get(param.name)?.value ?? param.default;
    if (!node) {
      const what = param.help ? ` (${param.help})` : '';
      report('SB230', param.at, { message: `The parameter \`${param.name}\`${what} was not given.` });
      continue;
    }
    const value = withItemDefaults(readTyped(unwrap(node), param, report), param);
    if (hasPassword(value)) report('SB211', node.at, { message: `\`${param.name}\` is a URL with a password in it.` });
    resolved.set(param.name, value);
  }
  return resolved;
}

/** `{ $secret: file:/x }`, as it stands in plans, is taken where `file:/x` is. */
function unwrap(node: Entry['value']): Entry['value'] {
  return get(node, '$secret') ?? node;
}
