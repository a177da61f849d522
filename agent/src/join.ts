import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { askToJoin } from '@signalbox/bus';
import { JoinReply, type JoinRequest, type JoinToken, readToken, SignalboxError } from '@signalbox/protocol';
import { createKeyPair, keyPairFromSeed, open, seal } from '@signalbox/protocol/crypto';
import { stringify } from 'yaml';
import { agentError } from './codes.ts';
import { policyForRole } from './policy/roles.ts';

export interface JoinOptions {
  /** The token itself, or `-`: from standard input, where nobody else on this machine can read it. */
  readonly token: string;
  /** Folder for agent.yaml, the key and the authority. */
  readonly dir: string;
  readonly stateDir: string;
  /** Whether a policy for the role of this host is written. */
  readonly policy: boolean;
}

const CONNECT_MS = 10_000;

/**
 * Joins a mesh: makes this host's key here, where it stays, proves the token, and writes what an agent needs. Nothing is
 * written over.
 * @throws SB-JOIN-*, SB-BUS-*, what the coordinator refuses with.
 */
export async function joinMesh({ token: given, dir, stateDir, policy }: JoinOptions, nowMs: number): Promise<string[]> {
  const token = readToken(given === '-' ? readFileSync(0, 'utf8') : given);
  if (token === undefined) throw agentError('SB-JOIN-TOKEN', 'this is no token of this version');
  if (token.expiresAtMs <= nowMs) throw agentError('SB-JOIN-TOKEN', `the token for ${token.host} has expired`);
  const folder = resolve(dir);
  const key = createKeyPair();
  const write = writerInto(folder);
  // First what may fail here: a token is not spent for a host that cannot keep its key and what it is told.
  for (const name of ['agent.yaml', ...(token.ca === undefined ? [] : ['ca.crt'])]) mustBeNew(join(folder, name));
  const seedFile = write('agent.seed', `${key.seed}\n`);
  const labels = await ask(token, key).catch((error: unknown) => {
    rmSync(seedFile);
    throw error;
  });
  const { mesh, host, servers, coordinators, authority, ca } = token;
  const trust = { coordinators, ...(authority === undefined ? {} : { authority }) };
  if (ca !== undefined) write('ca.crt', ca);
  // Public as the settings of a system are: who works on this host may know what is allowed on it.
  if (policy && !existsSync(join(folder, 'policy.yaml'))) write('policy.yaml', policyForRole(labels.role), 0o644);
  const file = write(
    'agent.yaml',
    stringify({
      ...{ mesh, name: host, servers, ...(ca === undefined ? {} : { caFile: 'ca.crt' }) },
      ...{ seedFile: 'agent.seed', stateDir: resolve(stateDir), labels, trust },
      ...(policy ? { policy: 'policy.yaml' } : {}),
    }),
  );
  return [
    `${host} has joined mesh ${mesh}; its key was made here and stays here`,
    `key: ${key.publicKey}`,
    `settings: ${file}`,
    policy ? `policy: ${join(folder, 'policy.yaml')}` : 'no policy: everything is allowed on this host',
  ];
}

async function ask(token: JoinToken, key: ReturnType<typeof createKeyPair>): Promise<Record<string, string>> {
  const { mesh, host, servers, ca, seed, coordinators } = token;
  const tokenKey = keyPairFromSeed(seed);
  const nonce = crypto.randomUUID();
  const asked = { mesh, host, tokenKey: tokenKey.publicKey, key: key.publicKey, nonce, sentAtMs: Date.now() };
  const data = seal('join', asked satisfies JoinRequest, tokenKey, key);
  const reach = { servers, mesh, seed, ca, name: `join ${host}`, connectTimeoutMs: CONNECT_MS };
  const answer = await askToJoin(reach, tokenKey.publicKey, data);
  const trusts = (publicKey: string) => coordinators.includes(publicKey);
  const { payload } = open(answer, { kind: 'joined', schema: JoinReply, trusts });
  if (payload.nonce !== nonce) throw agentError('SB-JOIN-TOKEN', 'the answer belongs to another request');
  if (payload.type === 'failed') throw new SignalboxError(payload.failure);
  return payload.labels;
}

/** @throws SB-JOIN-FILE */
function mustBeNew(path: string): void {
  if (existsSync(path)) throw agentError('SB-JOIN-FILE', `${path} is there already; move it away, or join with --dir`);
}

function writerInto(dir: string): (name: string, text: string, mode?: number) => string {
  return (name, text, mode = 0o600) => {
    const path = join(dir, name);
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      writeFileSync(path, text, { mode, flag: 'wx' });
    } catch (cause) {
      throw agentError('SB-JOIN-FILE', cause instanceof Error ? cause.message : String(cause), { cause });
    }
    return path;
  };
}
