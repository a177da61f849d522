import type { HostContext } from '@signalbox/protocol';
import {
  type MongomirrorStatus,
  optionOf,
  readMongomirrorStatus,
  type UnitReading,
} from '@signalbox/protocol/readings';
import { probeError } from '../codes.ts';
import { get } from '../support/get.ts';
import { lookAtUnit } from '../support/unit.ts';

const STATUS_WITHIN_MS = 3_000;

/** What systemd and the mirror's own status port say; the latter is absent when nobody answers there. */
export async function readMirror(
  context: HostContext,
  name: string,
): Promise<{ unit: UnitReading; status: MongomirrorStatus | undefined }> {
  const unit = await lookAtUnit(context, name);
  const port = optionOf(unit.exec?.argv ?? [], '--httpStatusPort');
  if (unit.loadState === 'not-found' || port === undefined) {
    throw probeError('SB-PROBE-MIRROR-UNIT', `${name} on ${context.host} names no --httpStatusPort`);
  }
  const asked = get(context, `http://127.0.0.1:${port}/`, { timeoutMs: STATUS_WITHIN_MS });
  const status = await asked.then(({ text }) => readMongomirrorStatus(text)).catch(() => undefined);
  return { unit, status };
}
