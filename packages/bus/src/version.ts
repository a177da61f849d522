/** Older servers have no `sync_interval`, and other rules for service imports. */
export const MIN_SERVER_VERSION = '2.10';

/** Reads `2.14.0` out of `nats-server: v2.14.0` or a server's INFO. */
export function parseVersion(text: string): [number, number, number] | undefined {
  const match = /(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

export function isSupported(text: string): boolean {
  const [major, minor] = parseVersion(text) ?? [0, 0];
  return major > 2 || (major === 2 && minor >= 10);
}
