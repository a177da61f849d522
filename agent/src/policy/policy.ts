import type { Action } from '@signalbox/actions';
import { type Failure, type Json, type JsonObject, policyError, type SignalboxError } from '@signalbox/protocol';
import { z } from 'zod';
import { argvGlob, glob, pathGlob, secretGlob } from './glob.ts';
import { namedIn, placesOf } from './named.ts';

const Patterns = z.array(z.string().min(1)).default([]);
const PathPattern = z.string().regex(/^(?![\s\S]*\/\.\.?(?:\/|$))\//, 'an absolute path without . and ..');

/** policy.yaml. What is not allowed is refused; a list that is left out allows nothing. */
export type PolicyFile = z.infer<typeof PolicyFile>;
export const PolicyFile = z.strictObject({
  allow: z.strictObject({
    actions: Patterns,
    probes: Patterns,
    units: Patterns,
    paths: z.array(PathPattern).default([]),
    /** References that steps and probes may name; `file:` follows the rules of `paths`. */
    secrets: z
      .array(
        z.string().regex(/^(env|aws|sealed):|^file:\/(?!(?:.*\/)?\.\.?(?:\/|$))/s, 'env:, file:/, aws: or sealed:'),
      )
      .default([]),
    /** Argv patterns, word by word. */
    commands: z.array(z.array(z.string()).min(1)).default([]),
    /** User names or ids. */
    users: z.array(z.union([z.string().min(1), z.int().min(0)])).default([]),
  }),
});

/** Something that is asked of the host. `input` has the defaults of its schema in it: they name units and paths as well. */
export type Use =
  | { readonly kind: 'probe'; readonly name: string; readonly input: object }
  | {
      readonly kind: 'action';
      readonly action: Action;
      readonly input: object;
      /** What the way back is told by somebody else than this host's own journal. */
      readonly receipt?: JsonObject | undefined;
    };

/** What the owner of a host allows, whoever asks. */
export interface Policy {
  /** Of the file; undefined when there is none and everything is allowed. */
  readonly sha256: string | undefined;
  /** Whether the name alone is allowed: what is not, the host does not offer. */
  offers(kind: Use['kind'], name: string): boolean;
  refusal(use: Use): Failure | undefined;
  /** Of a process that is about to start. */
  processRefusal(argv: readonly string[]): Failure | undefined;
}

export const EVERYTHING: Policy = {
  sha256: undefined,
  offers: () => true,
  refusal: () => undefined,
  processRefusal: () => undefined,
};

export interface PolicyOptions {
  readonly sha256: string;
  /** Paths that no step may name, with what is below them: else it could rewrite this policy, or take the host's key. */
  readonly own: readonly string[];
  readonly uidOf: (user: string) => number | undefined;
  readonly actionByName: (name: string) => Action | undefined;
}

/** The agent's own units: whoever may change them decides which policy it reads. */
const OWN_UNIT = /^signalbox-(agent|runner)(@.*)?\.(service|socket)$/;
const ARGV = new Set(['argv']);

export function createPolicy({ allow }: PolicyFile, { sha256, own, uidOf, actionByName }: PolicyOptions): Policy {
  const actions = anyOf(allow.actions.map((pattern) => glob(pattern)));
  const probes = anyOf(allow.probes.map((pattern) => glob(pattern)));
  const units = anyOf(allow.units.map((pattern) => glob(pattern)));
  const paths = anyOf(allow.paths.map(pathGlob));
  const secrets = anyOf(allow.secrets.map(secretGlob));
  const commands = anyOf(allow.commands.map(argvGlob));
  const users = new Set(allow.users.flatMap((user) => (typeof user === 'number' ? user : (uidOf(user) ?? []))));
  const ownPlaces = anyOf(own.flatMap((path) => placesOf(path) ?? [path]).map((path) => pathGlob(`${path}/**`)));

  function ofUse(use: Use): SignalboxError | undefined {
    if (use.kind === 'probe') {
      if (!probes(use.name)) return policyError('SB-POLICY-PROBE', `the policy does not allow ${use.name}`);
      return ofNames(use.name, use.input as JsonObject);
    }
    const { action, input, receipt } = use;
    if (!actions(action.name)) return policyError('SB-POLICY-ACTION', `the policy does not allow ${action.name}`);
    const refused = action.argvs?.(input as JsonObject).find((argv) => !commands(argv));
    if (refused) {
      return policyError('SB-POLICY-COMMAND', `${action.name}: the policy does not allow ${JSON.stringify(refused)}`);
    }
    return (
      ofNames(action.name, input as JsonObject, action.argvs && ARGV) ??
      ofNames(action.name, receipt) ??
      ofInner(action, input as JsonObject)
    );
  }

  /** An action that stands for another one is allowed what that one is. */
  function ofInner(action: Action, input: JsonObject): SignalboxError | undefined {
    const asked = action.standsFor?.(input);
    if (asked === undefined) return undefined;
    const inner = actionByName(asked.action);
    const parsed = inner?.schema.safeParse(asked.with);
    if (inner === undefined || !parsed?.success) {
      return policyError('SB-POLICY-ACTION', `${action.name}: nobody can say what ${asked.action} would do`);
    }
    return ofUse({ kind: 'action', action: inner, input: parsed.data, receipt: asked.receipt });
  }

  function ofNames(what: string, input: Json | undefined, leaveOut?: ReadonlySet<string>): SignalboxError | undefined {
    const named = namedIn(input, leaveOut);
    const unit = named.units.find((name) => !units(name) || OWN_UNIT.test(name));
    if (unit !== undefined) return policyError('SB-POLICY-UNIT', `${what}: the policy does not allow ${unit}`);
    for (const path of named.paths) {
      const refused = refusedPlace(path, paths);
      if (refused !== undefined) return policyError('SB-POLICY-PATH', `${what}: ${refused}`);
    }
    for (const ref of named.secrets) {
      const refused = refusedSecret(ref);
      if (refused !== undefined) return policyError('SB-POLICY-SECRET', `${what}: ${refused}`);
    }
    return undefined;
  }

  /** Why, where it is written or where its links lead. */
  function refusedPlace(path: string, allowed: (place: string) => boolean): string | undefined {
    const places = placesOf(path);
    if (places === undefined) return `nobody can say where ${path} leads`;
    const refused = places.find((place) => !allowed(place) || ownPlaces(place));
    if (refused === undefined) return undefined;
    return `the policy does not allow ${refused}${refused === path ? '' : `, where ${path} leads`}`;
  }

  function refusedSecret(ref: string): string | undefined {
    if (ref.startsWith('file:')) return refusedPlace(ref.slice('file:'.length), (place) => secrets(`file:${place}`));
    if (secrets(ref)) return undefined;
    // A box is long, and says nothing behind the name of its host.
    return `the policy does not allow ${ref.startsWith('sealed:') ? 'sealed secrets' : ref}`;
  }

  return {
    sha256,
    offers: (kind, name) => (kind === 'action' ? actions(name) : probes(name)),
    refusal: (use) => ofUse(use)?.failure,
    processRefusal(argv) {
      const uid = otherUser(argv);
      if (uid === undefined || users.has(uid)) return undefined;
      return policyError('SB-POLICY-USER', `the policy does not allow user ${uid} (${argv[0]})`).failure;
    },
  };
}

/** As `asOwner` of the actions writes it (setpriv(1)). */
function otherUser([program, ...words]: readonly string[]): number | undefined {
  if (program !== 'setpriv') return undefined;
  const uid = words.find((word) => word.startsWith('--reuid='))?.slice('--reuid='.length);
  return uid === undefined ? undefined : Number(uid);
}

function anyOf<T>(tests: readonly ((value: T) => boolean)[]): (value: T) => boolean {
  return (value) => tests.some((test) => test(value));
}
