import { describe, expect, it } from 'vitest';
import { statusReference } from './status-reference.ts';

describe('status events', () => {
  it('are documented as they are', async () => {
    await expect(statusReference()).toMatchFileSnapshot('../../docs/reference/events.md');
  });
});
