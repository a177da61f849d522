// The import direction of the architecture. A rule's comment is the reason that a failing build prints.
const PURE = '^packages/(sequencer|runbook)/src';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'A cycle hides which part is the foundation.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'protocol-stands-alone',
      severity: 'error',
      comment: 'The wire contract imports no sibling: both ends of the wire depend on it.',
      from: { path: '^protocol/' },
      to: { path: '^(packages|agent|coordinator|test)/' },
    },
    {
      name: 'packages-know-only-the-protocol',
      severity: 'error',
      comment: 'Libraries are siblings: what two of them share belongs into protocol.',
      from: { path: '^packages/(?!simulator)([^/]+)/' },
      to: { path: '^(packages|agent|coordinator|test)/', pathNot: '^packages/$1/' },
    },
    {
      name: 'pure-core',
      severity: 'error',
      comment:
        'The sequencer and the runbook language decide; they do no I/O, so that a run can be replayed and simulated.',
      from: { path: PURE, pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'sequencer-needs-nothing',
      severity: 'error',
      comment: 'The sequencer depends on the protocol alone.',
      from: { path: '^packages/sequencer/src', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^(packages/sequencer|protocol)/' },
    },
    {
      name: 'agent-decides-nothing',
      severity: 'error',
      comment: 'An agent carries out and reports; what comes next is for the coordinator.',
      from: { path: '^agent/' },
      to: { path: '^(coordinator|packages/sequencer|packages/runbook)/' },
    },
    {
      name: 'messenger-has-nothing',
      severity: 'error',
      comment: 'Who takes over the process that speaks to the network finds no key, settings, journal or action in it.',
      from: { path: '^agent/src/(messenger|challenge|messenger/(visit|carry|remote-signer))\\.ts$' },
      to: {
        path: '^(agent/src/(config|host-key|join|journal|loop|policy|serve|state-dir)|packages/(actions|probes|settings)/)',
      },
    },
    {
      name: 'coordinator-touches-no-host',
      severity: 'error',
      comment: 'The coordinator reaches hosts only over the bus.',
      from: { path: '^coordinator/' },
      to: { path: '^agent/' },
    },
    {
      name: 'only-bus-knows-nats',
      severity: 'error',
      comment: 'One package to change when the NATS client changes. Tests may use a bare client to look from outside.',
      from: { pathNot: '^(packages/bus|test)/' },
      to: { path: 'node_modules/nats' },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      comment: 'What crosses packages is tested in test/, which nothing imports.',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['source', 'import'] },
  },
};
