import { pino } from 'pino';
import { redactText, type SecretValues } from './executor/redact.ts';
import type { Log } from './ports.ts';
import { escapeControl } from './text.ts';

/** One JSON object a line on stdout. Values of secrets are replaced, control characters escaped: logs are read on terminals. */
export function createLog(base: Record<string, string>, secrets: SecretValues): Log {
  const logger = pino(
    { base, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    // JSON escapes C0 itself; what is left are DEL, C1 and line separators. The newline at the end is not text.
    { write: (line: string) => void process.stdout.write(`${escapeControl(redactText(line.trimEnd(), secrets))}\n`) },
  );
  return (level, message, fields = {}) => logger[level](fields, message);
}
