import { STREAMS } from '@signalbox/protocol';
import { busError } from './codes.ts';
import type { CoordinatorContext } from './context.ts';
import { isTimeout, JS_ERROR, jsErrorNumber } from './errors.ts';
import { runToken, tokenAt } from './names.ts';
import type { CoordinatorBus } from './port.ts';
import { readStream } from './read-stream.ts';
import { lastOn, sameBytes } from './stored.ts';

type RunLog = Pick<CoordinatorBus, 'append' | 'readRun' | 'listRuns' | 'lastEntry'>;

const STREAM = STREAMS.runs;
const APPEND_TIMEOUT_MS = 5_000;
/** Position of the run id in `sb.<mesh>.run.<run>`. */
const RUN_TOKEN = 3;

/** The run log: the only truth about a run, appended to by compare-and-set. */
export function runLog({ link, js, jsm, subjects }: CoordinatorContext): RunLog {
  const last = (run: string) =>
    link.exchange(`reading the log of ${run}`, () => lastOn(jsm, STREAM, subjects.run(runToken(run))));

  return {
    lastEntry: last,

    async append(run, data, expectedSequence) {
      const subject = subjects.run(runToken(run));
      const publish = async () => {
        try {
          const { seq } = await js.publish(subject, data, {
            expect: { lastSubjectSequence: expectedSequence },
            timeout: APPEND_TIMEOUT_MS,
          });
          return { sequence: seq };
        } catch (error) {
          if (jsErrorNumber(error) === JS_ERROR.wrongLastSequence) return 'taken';
          if (isTimeout(error)) return 'unanswered';
          throw error;
        }
      };
      const outcome = await link.exchange(`appending to ${run}`, publish).catch((error: unknown) => {
        if (codeOf(error) === 'SB-BUS-TIMEOUT') return 'unanswered' as const;
        throw error;
      });
      if (typeof outcome === 'object') return outcome;

      // Somebody was first, or it was this very append whose acknowledgement was lost: the bytes tell.
      const found = await last(run).catch((cause: unknown) => {
        if (outcome === 'taken') throw cause;
        throw busError('SB-BUS-TIMEOUT', `appending to ${run} was not answered, and the log cannot be read`, { cause });
      });
      if (found && found.sequence > expectedSequence) {
        return sameBytes(found.data, data) ? { sequence: found.sequence } : 'conflict';
      }
      if (outcome === 'taken') return 'conflict';
      throw busError('SB-BUS-TIMEOUT', `appending to ${run} was not answered, and it is not in the log yet`);
    },

    async readRun(run) {
      const filter = subjects.run(runToken(run));
      return await link.exchange(`reading the log of ${run}`, async () => {
        // What the leader has now is the least that must come back.
        const newest = await lastOn(jsm, STREAM, filter);
        if (!newest) return [];
        const entries = await readStream({ js, jsm }, { stream: STREAM, filter });
        if ((entries.at(-1)?.sequence ?? 0) >= newest.sequence) return entries;
        throw busError('SB-BUS-TIMEOUT', `a replica of ${STREAM} is behind its leader; read again`);
      });
    },

    async listRuns() {
      return await link.exchange('listing runs', async () => {
        const { state } = await jsm.streams.info(STREAM, { subjects_filter: subjects.all.runs });
        return Object.keys(state.subjects ?? {}).map((subject) => tokenAt(subject, RUN_TOKEN));
      });
    },
  };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
