import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { HostName, MeshName } from '@signalbox/protocol';
import { isPublicKey, type KeyPair } from '@signalbox/protocol/crypto';
import { type LockedSeed, loadJwt, loadPersonsSeed, loadSettings, loadText } from '@signalbox/settings';
import { z } from 'zod';
import { cliError } from './codes.ts';

const PublicKey = z.string().refine(isPublicKey, 'a public nkey (U...)');

/** The operator's settings (signalbox.yaml). Strict: a misspelt key is an error and not a silent default. */
export type OperatorSettings = z.infer<typeof OperatorSettings>;
export const OperatorSettings = z.strictObject({
  mesh: MeshName,
  servers: z.array(z.string()).min(1, 'at least one NATS server'),
  /** Authorities in PEM that the server's certificate is checked with; given, NATS is reached over TLS only. */
  caFile: z.string().min(1).optional(),
  /** nkey seed of this person; relative paths are relative to the settings file. */
  seedFile: z.string().min(1),
  /** User JWT or creds file, for a NATS that knows its users by JWT; the key stays that of `seedFile`. */
  jwtFile: z.string().min(1).optional(),
  /** The name that coordinator.yaml gives to this key. */
  operator: HostName,
  /** Public keys whose answers are believed. */
  coordinators: z.array(PublicKey).min(1, 'at least one public key of a coordinator'),
  /** Public key of who vouches for operators: hosts that are let in from here ask for it. */
  authority: z.string().refine(isPublicKey, 'a public nkey (A...)').optional(),
  /** The authority's word for this person (`signalbox certify`): hosts want it beside every signed plan and approval. */
  certificateFile: z.string().min(1).optional(),
});

export interface LoadedSettings extends OperatorSettings {
  readonly file: string;
  readonly seedPath: string;
  readonly key: KeyPair | LockedSeed;
  readonly ca: string | undefined;
  readonly jwt?: string | undefined;
  readonly certificate: string | undefined;
}

/** With the key in hand. */
export interface PersonsSettings extends LoadedSettings {
  readonly key: KeyPair;
}

export interface SettingsWishes {
  config?: string | undefined;
  mesh?: string | undefined;
  env: NodeJS.ProcessEnv;
  cwd: string;
}

/**
 * Finds and reads the settings: `--config`, $SIGNALBOX_CONFIG, ./signalbox.yaml, then in ~/.config/signalbox the file of
 * the named mesh or config.yaml. A named mesh must be that of the file: acting on the wrong one is the oldest mistake.
 * @throws SB-CLI-NO-SETTINGS, SB-CLI-MESH, SB-CFG-*.
 */
export function readSettings({ config, mesh: named, env, cwd }: SettingsWishes): LoadedSettings {
  const mesh = named ?? env.SIGNALBOX_MESH;
  const file = findSettings({ config: config ?? env.SIGNALBOX_CONFIG, mesh, env, cwd });
  const settings = loadSettings(file, OperatorSettings);
  if (mesh !== undefined && mesh !== settings.mesh) {
    throw cliError('SB-CLI-MESH', `${file} is for mesh ${settings.mesh}, not ${mesh}`);
  }
  const seedPath = resolve(dirname(file), settings.seedFile);
  const key = loadPersonsSeed(seedPath);
  const ca = loadText(file, 'caFile', settings.caFile);
  const certificate = loadText(file, 'certificateFile', settings.certificateFile)?.trim();
  return { ...settings, file, seedPath, key, ca, certificate, jwt: loadJwt(file, settings.jwtFile) };
}

function findSettings({ config, mesh, env, cwd }: SettingsWishes): string {
  if (config !== undefined && config !== '') return resolve(cwd, config);
  const home = join(env.XDG_CONFIG_HOME ?? join(env.HOME ?? '/', '.config'), 'signalbox');
  const places = [
    join(cwd, 'signalbox.yaml'),
    ...(mesh === undefined ? [] : [join(home, `${mesh}.yaml`)]),
    join(home, 'config.yaml'),
  ];
  const found = places.find((path) => existsSync(path));
  if (found === undefined) throw cliError('SB-CLI-NO-SETTINGS', `looked for ${places.join(', ')}`);
  return found;
}
