/** Colour by meaning. Screens are built without colour; a line is painted by what its words say. */
export interface Paint {
  readonly enabled: boolean;
  bad(text: string): string;
  warn(text: string): string;
  good(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
}

export function makePaint(enabled: boolean): Paint {
  const with_ = (code: number) => (text: string) => (enabled ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { enabled, bad: with_(31), warn: with_(33), good: with_(32), strong: with_(1), faint: with_(2) };
}

/** NO_COLOR (no-color.org) wins; colour is for terminals only. */
export function wantsColour(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  return isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

const BAD = /\b(UNKNOWN|FAILED|HELD|BROKEN|UNSEEN|NOT REVERSIBLE|silent|refusing|error SB[\w-]+)\b/g;
const WARN = /\b(WAITING|PAUSED|UNDOING|COMPENSATING|APPROVAL|BY HAND|late|warning)\b/g;
const GOOD = /\b(COMPLETED|FENCE ok|online)\b/g;
const FAINT = /^ {5}\S+ +(done|later|undone|not begun) .*$/;

/** Paints the words that matter in a line of a screen, so that one look across the room is enough. */
export function paintLine(line: string, paint: Paint): string {
  if (!paint.enabled) return line;
  if (FAINT.test(line)) return paint.faint(line);
  return line
    .replace(BAD, (word) => paint.bad(word))
    .replace(WARN, (word) => paint.warn(word))
    .replace(GOOD, (word) => paint.good(word));
}
