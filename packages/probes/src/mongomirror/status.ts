import { mirrorLagSeconds, timestampSeconds } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { RUNNING_VALUES, runningValues, UnitName } from '../support/unit.ts';
import { readMirror } from './ask.ts';

const With = z.strictObject({
  unit: UnitName.default('mongomirror.service').describe('The unit that runs the mirror; it names --httpStatusPort.'),
});

/** MongoMirror asks both sides for their timestamps that often [T32]. */
const REFRESHES_MS = 10_000;

export const mongomirrorStatus = defineProbe<z.infer<typeof With>>({
  name: 'mongomirror.status',
  version: 1,
  summary:
    'What MongoMirror says of itself, and what systemd says of its unit; the latter also when it does not answer.',
  schema: With,
  values: {
    ...RUNNING_VALUES,
    stage: { type: 'string', help: '`initializing`, `initial sync`, `oplog sync`' },
    phase: { type: 'string', help: 'finer' },
    lagSeconds: {
      type: 'number',
      unit: 's',
      help: 'newest entry of the source less the last one applied; only in `oplog sync`: before, the newest one stands still',
    },
    latestSeconds: {
      type: 'number',
      unit: 's',
      help: 'newest entry of the source as Unix time; rises also without writes, so it shows that values are fresh',
    },
    copiedBytes: { type: 'number', unit: 'bytes', help: 'of the first copy' },
    totalBytes: { type: 'number', unit: 'bytes', help: 'of the first copy' },
    errorMessage: {
      type: 'string',
      help: 'why it gave up: with a status port it then goes on running and does nothing',
    },
  },
  refreshesMs: REFRESHES_MS,

  async sample(context, { unit: name }) {
    const { unit, status } = await readMirror(context, name);
    if (!status) return runningValues(unit);
    const { stage, phase, errorMessage, latest, copiedBytes, totalBytes } = status;
    const lagSeconds = stage === 'oplog sync' ? mirrorLagSeconds(status) : undefined;
    return {
      ...runningValues(unit),
      ...(stage !== undefined && { stage }),
      ...(phase !== undefined && { phase }),
      ...(lagSeconds !== undefined && { lagSeconds }),
      ...(latest !== undefined && { latestSeconds: timestampSeconds(latest) }),
      ...(totalBytes > 0 && { copiedBytes, totalBytes }),
      ...(errorMessage !== undefined && { errorMessage }),
    };
  },
});
