import { STREAMS } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { busError } from './codes.ts';
import type { CoordinatorContext } from './context.ts';
import { JS_ERROR, jsErrorNumber } from './errors.ts';
import { idToken } from './names.ts';
import type { CoordinatorBus } from './port.ts';
import { lastOn } from './stored.ts';

type Blobs = Pick<CoordinatorBus, 'putBlob' | 'getBlob'>;

/** Content-addressed: a blob is named by its SHA-256, is written once and is checked each time. */
export function blobs({ link, js, jsm, subjects }: CoordinatorContext): Blobs {
  return {
    async putBlob(hash, data) {
      verify(hash, data);
      await link.exchange(`storing blob ${hash}`, async () => {
        try {
          await js.publish(subjects.blob(idToken(hash)), data, { expect: { lastSubjectSequence: 0 } });
        } catch (error) {
          if (jsErrorNumber(error) !== JS_ERROR.wrongLastSequence) throw error;
        }
      });
    },
    async getBlob(hash) {
      const subject = subjects.blob(idToken(hash));
      const stored = await link.exchange(`reading blob ${hash}`, () => lastOn(jsm, STREAMS.blobs, subject));
      if (stored) verify(hash, stored.data);
      return stored?.data;
    },
  };
}

function verify(hash: string, data: Uint8Array): void {
  const actual = sha256(data);
  if (actual !== hash) throw busError('SB-BUS-BLOB-DAMAGED', `blob ${hash} has content with the hash ${actual}`);
}
