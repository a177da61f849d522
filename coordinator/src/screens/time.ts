/** Wall-clock times for people, in the operator's own zone unless another is given. */
export interface Zone {
  /** IANA name; absent: that of this machine. */
  readonly timeZone?: string | undefined;
}

/** `02:21:07` */
export function timeOfDay(atMs: number, { timeZone }: Zone = {}): string {
  return format(atMs, { hour: '2-digit', minute: '2-digit', second: '2-digit' }, timeZone);
}

/** `02:21` */
export function shortTime(atMs: number, { timeZone }: Zone = {}): string {
  return format(atMs, { hour: '2-digit', minute: '2-digit' }, timeZone);
}

/** `2026-11-20 02:21` */
export function dateAndTime(atMs: number, { timeZone }: Zone = {}): string {
  const date = format(atMs, { year: 'numeric', month: '2-digit', day: '2-digit' }, timeZone);
  return `${date} ${shortTime(atMs, { timeZone })}`;
}

function format(atMs: number, parts: Intl.DateTimeFormatOptions, timeZone: string | undefined): string {
  // Swedish writes dates and times as ISO 8601 does.
  const zone = timeZone === undefined ? {} : { timeZone };
  return new Intl.DateTimeFormat('sv-SE', { ...parts, ...zone, hourCycle: 'h23' }).format(atMs);
}
