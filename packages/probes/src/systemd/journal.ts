import { isJsonObject, type Json } from '@signalbox/protocol';
import { z } from 'zod';
import { probeError } from '../codes.ts';
import { defineProbe } from '../contract.ts';
import { lookAtUnit, UnitName } from '../support/unit.ts';

const With = z.strictObject({
  unit: UnitName.describe('With its suffix, as in `r3mes-miner.service`.'),
  words: z
    .array(z.string().min(1))
    .default(['ERROR', 'CRITICAL', 'FATAL', 'Traceback', 'panic:'])
    .describe('Words that make a line an error, beside its priority: what a program prints is `info` to journald.'),
});

/** More than a service says while a gate looks at it. */
const LINES = 10_000;
/** syslog(3): emerg, alert, crit, err. */
const ERR = 3;

export const systemdJournal = defineProbe<z.infer<typeof With>>({
  name: 'systemd.journal',
  version: 1,
  summary: 'How many errors a unit has in the journal since it was last started; counts only, no line leaves the host.',
  schema: With,
  values: {
    lines: { type: 'number', help: 'lines since the unit was started, those that systemd writes about it included' },
    errors: {
      type: 'number',
      help: 'lines of priority err or worse, or with one of `words`; absent when there is no line at all: that proves nothing',
    },
    restarts: { type: 'number', help: 'automatic restarts since the unit was last started by hand' },
  },

  async sample(context, { unit, words }) {
    const { invocationId, restarts } = await lookAtUnit(context, unit);
    if (invocationId === '') return { restarts };
    // What the unit wrote, or what systemd wrote about it.
    const which = [`_SYSTEMD_INVOCATION_ID=${invocationId}`, '+', `INVOCATION_ID=${invocationId}`];
    const format = ['--output=json', '--output-fields=MESSAGE,PRIORITY'];
    const argv = ['journalctl', '--no-pager', `--lines=${LINES}`, ...format, ...which] as const;
    const { exitCode, stdout, stderr } = await context.exec([...argv], { quiet: true, timeoutMs: 10_000 });
    if (exitCode !== 0) {
      const said = stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
      throw probeError('SB-PROBE-JOURNAL', `journalctl for ${unit}: ${said || `exit code ${exitCode}`}`);
    }
    const entries = stdout.split('\n').filter((line) => line.startsWith('{'));
    const errors = entries.filter((line) => isError(JSON.parse(line), words)).length;
    return { restarts, lines: entries.length, ...(entries.length > 0 && { errors }) };
  },
});

function isError(entry: Json, words: readonly string[]): boolean {
  if (!isJsonObject(entry)) return false;
  const { PRIORITY: priority, MESSAGE: message } = entry;
  if (typeof priority === 'string' && priority !== '' && Number(priority) <= ERR) return true;
  const text = textOf(message);
  return words.some((word) => text.includes(word));
}

/** What is no UTF-8 comes as a list of bytes (systemd.journal-export-formats). */
function textOf(message: Json | undefined): string {
  if (typeof message === 'string') return message;
  return Array.isArray(message) ? Buffer.from(message.filter((byte) => typeof byte === 'number')).toString() : '';
}
