import { createKeyPair } from '@signalbox/protocol/crypto';
import { createCurveKey, openSecret, readKeys, sealSecret, stateKeys } from '@signalbox/protocol/sealed';
import { nkeys } from 'nats';
import { z } from 'zod';
import { refusing, type Target } from './target.ts';

const here = { mesh: 'm', host: 'h' };
const own = createCurveKey();
const VALUES = ['hunter2', '', 'p@ss: wörd\n', 'x'.repeat(300)];

/** A reference that is changed opens nothing: neither another value, nor the same one under another name. */
function references(): Target {
  const refs = VALUES.map((value) => sealSecret(value, { ...here, curve: own.publicKey }));
  return {
    name: 'sealed secrets',
    corpus: refs.map((ref) => Buffer.from(ref)),
    feed: (data) =>
      refusing(() => {
        const ref = data.toString('utf8');
        const opened = openSecret(ref, { ...here, seed: own.seed });
        return opened === undefined || refs.includes(ref) ? undefined : `it was opened: ${ref}`;
      }),
  };
}

const Content = z.object({ mesh: z.literal(here.mesh), host: z.literal(here.host), value: z.string() });

/** Who knows a host's curve key, which is no secret, can put anything into a box: it is opened as what it is, or not at all. */
function contents(): Target {
  const sender = nkeys.createCurve();
  const boxed = (data: Uint8Array) => Buffer.from(sender.seal(data, own.publicKey)).toString('base64url');
  return {
    name: 'what is in sealed boxes',
    corpus: VALUES.map((value) => Buffer.from(JSON.stringify({ ...here, value }))),
    feed: (data) =>
      refusing(() => {
        const ref = `sealed:${here.host}:${sender.getPublicKey()}:${boxed(data)}`;
        const opened = openSecret(ref, { ...here, seed: own.seed });
        const meant = Content.safeParse(jsonOf(data)).data?.value;
        return opened === meant ? undefined : `${data} was opened as ${opened}`;
      }),
  };
}

/** A curve key is a host's only by that host's signature. */
function statements(): Target {
  const key = createKeyPair();
  const trusted = { ...here, trusted: key.publicKey };
  return {
    name: 'curve keys of hosts',
    corpus: [Buffer.from(stateKeys({ ...here, curve: own.publicKey }, key))],
    feed: (data) =>
      refusing(() => {
        const { curve } = readKeys(data.toString('utf8'), trusted);
        return curve === own.publicKey ? undefined : `a key that nobody signed was believed: ${curve}`;
      }),
  };
}

function jsonOf(data: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined;
  }
}

export const boxes = (): Target[] => [references(), contents(), statements()];
