import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** The address of the node's key. Like CometBFT, a node that finds none makes one and says nothing. */
export function loadOrMakeKey(path: string): string {
  if (!existsSync(path)) writeFileSync(path, keyText(randomBytes(20).toString('hex').toUpperCase()), { mode: 0o600 });
  return JSON.parse(readFileSync(path, 'utf8')).address;
}

/** `priv_validator_key.json`, as far as the lab looks into it. */
export const keyText = (address: string): string => `${JSON.stringify({ address })}\n`;
