import type { CodeCatalogue } from '@signalbox/protocol';

/** What can go wrong with MongoDB, its mirrors, and Kubernetes. */
export const FAST_DATA_CODES = {
  'SB-ACT-MONGODB-UNREACHABLE': {
    class: 'retryable',
    means: 'No connection to MongoDB could be made, or the replica set has no primary; nothing was sent.',
    next: 'Check the hosts in the URI, the network from this host, and `rs.status()`.',
  },
  'SB-ACT-MONGODB-REFUSED': {
    class: 'terminal',
    means: 'MongoDB refused: the user may not do it, the server cannot, or the URI is not valid. Nothing was changed.',
    next: 'The message names the reason; docs/guides/fast-data.md lists the roles that Signalbox needs.',
  },
  'SB-ACT-MONGODB-UNCLEAR': {
    class: 'unknown',
    means: 'The connection to MongoDB was lost, or the server does not show what it was told.',
    next: 'Look at the server; then `signalbox resolve` says whether it was done.',
  },
  'SB-ACT-MIRROR-UNSAFE': {
    class: 'terminal',
    means: 'The command line of a mirror, or what it would find, would lose or double data.',
    next: 'Correct what the message names; nothing was changed.',
  },
  'SB-ACT-MONGOSYNC': {
    class: 'terminal',
    means: 'mongosync says no, or is in a state in which this cannot be asked of it.',
    next: 'Ask it: `curl HOST:27182/api/v1/progress`; its log says why.',
  },
  'SB-ACT-KUBERNETES-OBJECT': {
    class: 'terminal',
    means:
      'The object is not what the action needs: another kind, a selector that matches nothing, several containers.',
    next: 'Look at it with `kubectl get deployment NAME -o yaml`; nothing was changed.',
  },
  'SB-ACT-KUBERNETES-SECRET': {
    class: 'terminal',
    means: 'A Secret, or the key in it, does not exist; pods would not start.',
    next: 'Create it before the plan is made; nothing was changed.',
  },
  'SB-ACT-KUBERNETES-LITERAL': {
    class: 'terminal',
    means: 'A Deployment has a password as the literal value of a variable: everybody who may look at it can read it.',
    next: 'Put the value into a Secret and refer to it, with the same value, in a change of its own; then plan again.',
  },
  'SB-ACT-KUBERNETES-UNSETTLED': {
    class: 'terminal',
    means: 'The Deployment was changed, but its pods did not come or go in time.',
    next: 'Look at the pods that are named: `kubectl describe pod NAME`.',
  },
} as const satisfies CodeCatalogue;
