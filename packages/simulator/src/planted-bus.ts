import type { AgentBus } from '@signalbox/bus';

/** A bus with some of its ways changed, which still knows whether it is connected. */
export function changed(bus: AgentBus, ways: Partial<AgentBus>): AgentBus {
  return Object.defineProperty({ ...bus, ...ways }, 'connected', { get: () => bus.connected });
}
