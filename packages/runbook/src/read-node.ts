import { isJsonObject, type Json, type JsonObject } from '@signalbox/protocol';
import type { FindingCode } from './codes.ts';
import { collector, type Report, type Span } from './diagnostic.ts';
import { fromJson, type ListNode, type MapNode, type Node, type ScalarNode } from './node.ts';
import { hintFor } from './suggest.ts';

export interface ReadOptions {
  report: Report;
  /** Which findings to speak of: the same mistakes mean different things in a runbook and in an action's `with`. */
  codes: { unknown: FindingCode; missing: FindingCode; wrong: FindingCode };
  /** What an unknown key is called in a sentence: `parameter`, `key`. */
  noun: string;
  /** Text with `${` counts as any value: what it will be is not known yet. */
  references: boolean;
  /** A better finding for one unknown key; true when it was reported. */
  onUnknown?: (key: string, at: Span, known: readonly string[]) => boolean;
}

/**
 * Reads a tree by a JSON Schema and reports every difference at its place. The schema decides how a plain scalar is
 * read: by its source text where text is wanted, as a number only where a number is. Zod reads values, which have
 * neither source text nor place any more; the keywords below are those that zod writes.
 */
export function readNode(node: Node, schema: Json | undefined, options: ReadOptions): Json {
  return new Reader(isJsonObject(schema) ? schema : {}, options).read(node, schema, '');
}

class Reader {
  readonly #root: JsonObject;
  readonly #options: ReadOptions;

  constructor(root: JsonObject, options: ReadOptions) {
    this.#root = root;
    this.#options = options;
  }

  read(node: Node, wanted: Json | undefined, name: string): Json {
    const schema = this.#resolve(wanted);
    if (node.kind === 'reference') return node.value;
    if (node.kind === 'scalar' && this.#options.references && node.text.includes('${')) return node.text;
    const branches = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(branches) && schema.properties === undefined)
      return this.#readAny(node, schema, { branches, name });
    switch (node.kind) {
      case 'map':
        return this.#readMap(node, schema, name);
      case 'list':
        return this.#readList(node, schema, name);
      case 'scalar':
        return this.#readScalar(node, schema, name);
    }
  }

  /** The first branch that fits; else the complaints of the one that a value of this form must have meant. */
  #readAny(node: Node, schema: JsonObject, { branches, name }: { branches: Json[]; name: string }): Json {
    const fitting = branches.filter((branch) => formFits(node, this.#resolve(branch)));
    let first: { value: Json; complaints: ReturnType<typeof collector>['diagnostics'] } | undefined;
    for (const branch of fitting) {
      const { report, diagnostics } = collector();
      const value = new Reader(this.#root, { ...this.#options, report }).read(node, branch, name);
      if (diagnostics.length === 0) return value;
      if (!first || diagnostics.length < first.complaints.length) first = { value, complaints: diagnostics };
    }
    if (!first || node.kind === 'scalar') return this.#wrong(node, schema, name);
    for (const d of first.complaints) this.#options.report(d.code, d, d);
    return first.value;
  }

  #readMap(node: MapNode, schema: JsonObject, name: string): Json {
    if (!allows(schema, 'object')) return this.#wrong(node, schema, name);
    const properties = isJsonObject(schema.properties) ? schema.properties : {};
    const known = Object.keys(properties);
    const out: JsonObject = {};
    for (const [key, { key: at, value }] of node.entries) {
      const below = Object.hasOwn(properties, key) ? properties[key] : schema.additionalProperties;
      if (below === false) {
        if (!this.#options.onUnknown?.(key, at, known)) this.#unknown(key, at, known);
        continue;
      }
      this.#checkName(key, at, schema);
      out[key] = this.read(value, below, key);
    }
    for (const [key, below] of Object.entries(properties)) {
      const fallback = this.#resolve(below).default;
      if (fallback !== undefined && !node.entries.has(key)) out[key] = fallback;
    }
    for (const key of Array.isArray(schema.required) ? schema.required : []) {
      if (typeof key === 'string' && !node.entries.has(key)) {
        const message = `\`${key}\` is missing${name ? ` in \`${name}\`` : ''}.`;
        this.#options.report(this.#options.codes.missing, node.at, { message });
      }
    }
    return out;
  }

  #unknown(key: string, at: Span, known: readonly string[]): void {
    const message = `\`${key}\` is no ${this.#options.noun} here.`;
    this.#options.report(this.#options.codes.unknown, at, { message, hint: hintFor(key, known) });
  }

  #checkName(key: string, at: Span, schema: JsonObject): void {
    const names = isJsonObject(schema.propertyNames) ? schema.propertyNames : {};
    const allowed = Array.isArray(names.enum) ? names.enum : undefined;
    const pattern = typeof names.pattern === 'string' ? new RegExp(names.pattern, 'u') : undefined;
    if (allowed && !allowed.includes(key)) this.#unknown(key, at, allowed.map(String));
    if (pattern && !pattern.test(key)) {
      const message = `\`${key}\` cannot be a name here: ${expected(names)} is expected.`;
      this.#options.report(this.#options.codes.wrong, at, { message });
    }
  }

  #readList(node: ListNode, schema: JsonObject, name: string): Json {
    if (!allows(schema, 'array')) return this.#wrong(node, schema, name);
    if (typeof schema.minItems === 'number' && node.items.length < schema.minItems) this.#wrong(node, schema, name);
    return node.items.map((item) => this.read(item, schema.items, name));
  }

  #readScalar(node: ScalarNode, schema: JsonObject, name: string): Json {
    if (schema.type === undefined && schema.enum === undefined && schema.const === undefined) return node.value;
    if (node.text === '' && node.value === null) return this.#wrong(node, schema, name);
    // Where both are wanted, a bare `false` is no text: nobody who means the word would leave it bare.
    if (node.plain && allows(schema, 'boolean') && typeof node.value === 'boolean') return node.value;
    if (allows(schema, 'string') && textFits(node.text, schema)) return node.text;
    if (node.plain && (allows(schema, 'integer') || allows(schema, 'number')) && numberFits(node.value, schema)) {
      return node.value;
    }
    return this.#wrong(node, schema, name);
  }

  #wrong(node: Node, schema: JsonObject, name: string): Json {
    const what = node.kind === 'scalar' ? describe(node) : node.kind === 'list' ? 'a list' : 'a mapping';
    const message = `${name ? `\`${name}\` is ${what}` : `Here is ${what}`}; expected ${expected(schema)}.`;
    const near =
      node.kind === 'scalar' && Array.isArray(schema.enum) ? hintFor(node.text, schema.enum.map(String)) : undefined;
    this.#options.report(this.#options.codes.wrong, node.at, { message, hint: near });
    return null;
  }

  #resolve(schema: Json | undefined): JsonObject {
    let current = isJsonObject(schema) ? schema : {};
    // Generated schemas name their definitions in one place; a chain longer than this is a loop.
    for (let hops = 0; typeof current.$ref === 'string' && hops < 8; hops += 1) {
      let target: Json | undefined = this.#root;
      for (const part of current.$ref.replace(/^#\/?/, '').split('/').filter(Boolean)) {
        target = isJsonObject(target) ? target[part] : undefined;
      }
      current = isJsonObject(target) ? target : {};
    }
    return current;
  }
}

/** Quotes data that stands in for a node, such as a resolved parameter, and reads it in the same way. */
export function readJson(value: Json, schema: Json | undefined, { at, ...options }: ReadOptions & { at: Span }): Json {
  return readNode(fromJson(value, at), schema, options);
}

function allows(schema: JsonObject, type: string): boolean {
  if (schema.const !== undefined) return typeof schema.const === type;
  if (Array.isArray(schema.enum)) return schema.enum.some((v) => typeof v === type);
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  return schema.type === undefined || types.includes(type);
}

function formFits(node: Node, schema: JsonObject): boolean {
  if (Array.isArray(schema.anyOf)) return true;
  if (node.kind === 'map') return allows(schema, 'object');
  if (node.kind === 'list') return allows(schema, 'array');
  return ['string', 'integer', 'number', 'boolean', 'null'].some((type) => allows(schema, type));
}

function textFits(text: string, schema: JsonObject): boolean {
  if (schema.const !== undefined) return schema.const === text;
  if (Array.isArray(schema.enum)) return schema.enum.includes(text);
  if (typeof schema.minLength === 'number' && text.length < schema.minLength) return false;
  if (typeof schema.maxLength === 'number' && text.length > schema.maxLength) return false;
  return typeof schema.pattern !== 'string' || new RegExp(schema.pattern, 'u').test(text);
}

function numberFits(value: Json, schema: JsonObject): boolean {
  if (schema.const !== undefined) return schema.const === value;
  if (Array.isArray(schema.enum)) return schema.enum.includes(value);
  if (typeof value !== 'number') return false;
  if (!allows(schema, 'number') && !Number.isInteger(value)) return false;
  if (typeof schema.minimum === 'number' && value < schema.minimum) return false;
  if (typeof schema.exclusiveMinimum === 'number' && value <= schema.exclusiveMinimum) return false;
  return typeof schema.maximum !== 'number' || value <= schema.maximum;
}

function describe(node: ScalarNode): string {
  if (node.text === '') return 'empty';
  const shown = node.text.length > 40 ? `${node.text.slice(0, 37)}...` : node.text;
  return node.plain ? `\`${shown}\`` : `the text "${shown}"`;
}

function expected(schema: JsonObject): string {
  if (typeof schema.title === 'string') return schema.title;
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (Array.isArray(schema.enum)) return schema.enum.map((v) => `\`${String(v)}\``).join(' or ');
  const branches = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(branches))
    return [...new Set(branches.map((b) => expected(isJsonObject(b) ? b : {})))].join(' or ');
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  const bounds = [
    typeof schema.minimum === 'number' && schema.minimum > Number.MIN_SAFE_INTEGER ? `at least ${schema.minimum}` : '',
    typeof schema.maximum === 'number' && schema.maximum < Number.MAX_SAFE_INTEGER ? `at most ${schema.maximum}` : '',
  ].filter(Boolean);
  const base =
    { integer: 'a whole number', number: 'a number', boolean: 'true or false', array: 'a list', object: 'a mapping' }[
      String(type)
    ] ?? (typeof schema.pattern === 'string' ? `text of the form ${schema.pattern}` : 'text');
  return bounds.length > 0 ? `${base}, ${bounds.join(' and ')}` : base;
}
