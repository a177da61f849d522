import type { Failure } from '@signalbox/protocol';

/** Bad usage, bad configuration, or a name or folder that another agent has: 2. A mesh that refuses the key: 4. */
export function exitCodeOf({ code }: Pick<Failure, 'code'>): number {
  if (code.startsWith('SB-CFG-') || code === 'SB-AGENT-LOCKED' || code === 'SB-HOST-DUPLICATE') return 2;
  if (code === 'SB-POLICY-FILE' || code === 'SB-AGENT-NO-MESSENGER') return 2;
  return code.startsWith('SB-BUS-') ? 4 : 1;
}
