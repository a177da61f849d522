import { readFile } from 'node:fs/promises';
import type { Values } from '@signalbox/protocol';
import { MongoConnection } from '@signalbox/protocol/mongodb';
import { ageSeconds, type MongomirrorStatus, readProcessStat, timestampSeconds } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { probeError } from '../codes.ts';
import { defineProbe } from '../contract.ts';
import { readMirror } from '../mongomirror/ask.ts';
import { UnitName } from '../support/unit.ts';
import { askMongo } from './ask.ts';
import { type OplogBounds, oplogWindow, readOplogBounds } from './oplog.ts';

const With = z.strictObject({
  in: MongoConnection.describe('The source.'),
  mirror: UnitName.describe('The unit of the mirror, as in `mongomirror.service`.'),
});

export const mongodbOplogHeadroom = defineProbe<z.infer<typeof With>>({
  name: 'mongodb.oplogHeadroom',
  version: 1,
  summary: 'How much oplog is left before a mirror loses its source: during the first copy and while it follows.',
  schema: With,
  values: {
    headroomSeconds: {
      type: 'number',
      unit: 's',
      help: 'first copy: full window less time copied less the rest; following: age of the oldest entry less the lag',
    },
    windowSeconds: { type: 'number', unit: 's', help: 'from the first entry to the last' },
    elapsedSeconds: { type: 'number', unit: 's', help: 'since the mirror was started' },
    restSeconds: {
      type: 'number',
      unit: 's',
      help: 'of the first copy, at its rate until now; absent until it has copied for a minute',
    },
  },
  secrets: ['in'],

  async sample(context, { in: connection, mirror }) {
    const { status, unit } = await readMirror(context, mirror);
    if (!status) throw probeError('SB-PROBE-HTTP', `${mirror} serves no status`);
    const bounds = await askMongo(context, connection, readOplogBounds);
    const elapsedSeconds = await runningSeconds(unit.mainPid);
    return headroom({ status, bounds, elapsedSeconds });
  },
});

/** Before that, most of the time went into the start: such a rate would say days of a copy that takes seconds. */
const RATE_AFTER_SECONDS = 60;

/** Pure: what the numbers say. */
export function headroom({
  status,
  bounds,
  elapsedSeconds,
}: {
  status: MongomirrorStatus;
  bounds: OplogBounds;
  elapsedSeconds: number;
}): Values {
  const { windowSeconds, fullWindowSeconds } = oplogWindow(bounds);
  if (status.stage === 'oplog sync' && status.current !== undefined) {
    // The mirror reads at `current`: what is older may go, what is younger must stay. A full oplog loses it after this.
    const behind = bounds.lastSeconds - timestampSeconds(status.current);
    return { headroomSeconds: fullWindowSeconds - behind, windowSeconds, elapsedSeconds };
  }
  const { copiedBytes, totalBytes } = status;
  const hasRate = copiedBytes > 0 && elapsedSeconds >= RATE_AFTER_SECONDS;
  const rest = hasRate ? Math.round(((totalBytes - copiedBytes) * elapsedSeconds) / copiedBytes) : undefined;
  return {
    headroomSeconds: fullWindowSeconds - elapsedSeconds - (rest ?? 0),
    windowSeconds,
    elapsedSeconds,
    ...(rest !== undefined && { restSeconds: rest }),
  };
}

async function runningSeconds(pid: number): Promise<number> {
  if (pid === 0) throw probeError('SB-PROBE-FAILED', 'the mirror does not run');
  const [stat, uptime] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile('/proc/uptime', 'utf8')]);
  return Math.max(0, Math.round(ageSeconds(readProcessStat(stat), uptime)));
}
