import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Beside it and renamed, as the real node writes its signer state: a reader sees the old file or the new one. */
export function replaceFile(path: string, content: string): void {
  writeFileSync(`${path}.tmp`, content, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}

export function readHeight(path: string): number {
  const { height } = JSON.parse(readFileSync(path, 'utf8'));
  return Number(height);
}
