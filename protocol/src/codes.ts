import { type CodeCatalogue, failWith } from './failure.ts';

/** What can be wrong with a message, before anybody looks at what it asks for. */
export const PROTOCOL_CODES = {
  'SB-MSG-SIZE': {
    class: 'terminal',
    means: 'A message is larger than the protocol allows.',
    next: 'Send less: large plans and evidence go into blobs.',
  },
  'SB-MSG-JSON': {
    class: 'terminal',
    means: 'A message is not JSON, or not an envelope.',
    next: 'Find out who publishes on this subject; nothing was done.',
  },
  'SB-MSG-VERSION': {
    class: 'terminal',
    means: 'A message has an envelope version that this program does not know.',
    next: 'Upgrade the older side; nothing was done.',
  },
  'SB-MSG-CRITICAL': {
    class: 'terminal',
    means: 'A message carries a field marked critical that this program does not understand.',
    next: 'Upgrade this program; nothing was done.',
  },
  'SB-MSG-SHAPE': {
    class: 'terminal',
    means: 'A message is signed and whole, but its content is not of the form that its kind has.',
    next: 'Compare the versions of the two programs; nothing was done.',
  },
  'SB-MSG-UNSIGNED': {
    class: 'terminal',
    means: 'A message has no signature.',
    next: 'Find out who publishes on this subject; nothing was done.',
  },
  'SB-MSG-SIGNATURE': {
    class: 'terminal',
    means: 'A signature does not fit the bytes that came with it.',
    next: 'Somebody changed the message on its way, or signed with another key; nothing was done.',
  },
  'SB-MSG-UNTRUSTED': {
    class: 'terminal',
    means: 'A message is signed by a key that this program does not trust for it.',
    next: 'Check which keys are trusted here (trust.coordinators in agent.yaml, hosts and operators in coordinator.yaml).',
  },
} as const satisfies CodeCatalogue;

export const protocolError = failWith(PROTOCOL_CODES);
