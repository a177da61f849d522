import { STREAMS } from '@signalbox/protocol';
import { appendTo } from './append.ts';
import { busError } from './codes.ts';
import type { CoordinatorContext } from './context.ts';
import { runToken, tokenAt } from './names.ts';
import type { CoordinatorBus } from './port.ts';
import { readStream } from './read-stream.ts';
import { lastOn } from './stored.ts';

type RunLog = Pick<CoordinatorBus, 'append' | 'readRun' | 'listRuns' | 'lastEntry'>;

const STREAM = STREAMS.runs;
/** Position of the run id in `sb.<mesh>.run.<run>`. */
const RUN_TOKEN = 3;

/** The run log: the only truth about a run, appended to by compare-and-set. */
export function runLog(context: CoordinatorContext): RunLog {
  const { link, js, jsm, subjects } = context;

  return {
    lastEntry: (run) =>
      link.exchange(`reading the log of ${run}`, () => lastOn(jsm, STREAM, subjects.run(runToken(run)))),

    async append(run, data, expectedSequence) {
      const place = { stream: STREAM, subject: subjects.run(runToken(run)), what: run };
      return await appendTo(context, place, data, expectedSequence);
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
