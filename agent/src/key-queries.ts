import { type KeyAnswer, KeyQuery } from '@signalbox/protocol';
import { open, type Signer, seal } from '@signalbox/protocol/crypto';
import { agentError } from './codes.ts';
import type { HostKey } from './host-key.ts';
import { failureOf } from './loop/ask.ts';
import type { Identity, Log, NoteProblem } from './ports.ts';

export interface KeyQueryPorts {
  readonly identity: Pick<Identity, 'mesh' | 'host'>;
  readonly key: HostKey;
  readonly log: Log;
  readonly problem: NoteProblem;
  readonly trusts: (publicKey: string) => boolean;
}

/** Changes the key of this host when a coordinator asks for it. No key ever leaves the host. */
export function createKeyHandler(ports: KeyQueryPorts): (data: Uint8Array) => Promise<Uint8Array> {
  const { identity, key, log, problem, trusts } = ports;
  return async (data) => {
    const query = read(data);
    const base = { nonce: query.nonce, host: query.host };
    const signers: [Signer, ...Signer[]] = [key];
    let answer: KeyAnswer;
    try {
      const changed = change(query, signers);
      log('info', 'key of this host', { step: query.step, key: changed, former: key.former?.publicKey });
      answer = { type: 'key', ...base, key: changed };
    } catch (error) {
      answer = { type: 'failed', ...base, failure: failureOf(error) };
    }
    return seal('answer', answer, ...signers);
  };

  function change({ step, key: wanted = '' }: KeyQuery, signers: Signer[]): string {
    if (step === 'make') {
      const next = key.make();
      signers.push(next);
      return next.publicKey;
    }
    if (step === 'use') key.use(wanted);
    else key.forget(wanted);
    return key.publicKey;
  }

  function read(data: Uint8Array): KeyQuery {
    try {
      const { payload } = open(data, { kind: 'query', schema: KeyQuery, trusts });
      const { mesh, host } = identity;
      if (payload.mesh === mesh && payload.host === host) return payload;
      throw agentError('SB-AGENT-ADDRESS', `the query is for ${payload.mesh}/${payload.host}`);
    } catch (error) {
      problem(failureOf(error), { what: 'key' });
      throw error;
    }
  }
}
