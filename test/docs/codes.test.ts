import { ACTION_CODES } from '@signalbox/actions';
import { BUS_CODES } from '@signalbox/bus';
import { CLI_CODES, COORDINATOR_CODES } from '@signalbox/coordinator';
import { PROBE_CODES } from '@signalbox/probes';
import { AGENT_CODES, type CodeCatalogue, POLICY_CODES, PROTOCOL_CODES } from '@signalbox/protocol';
import { codeTable } from '@signalbox/protocol/reference';
import { RUNBOOK_CODES } from '@signalbox/runbook';
import { SEQUENCER_CODES } from '@signalbox/sequencer';
import { SETTINGS_CODES } from '@signalbox/settings';
import { describe, expect, it } from 'vitest';

const CATALOGUES: Record<string, CodeCatalogue> = {
  Messages: PROTOCOL_CODES,
  'Settings files': SETTINGS_CODES,
  Bus: BUS_CODES,
  Agent: AGENT_CODES,
  'Policy of a host': POLICY_CODES,
  Actions: ACTION_CODES,
  Probes: PROBE_CODES,
  Runs: SEQUENCER_CODES,
  Coordinator: COORDINATOR_CODES,
  Runbooks: RUNBOOK_CODES,
  'Command line': CLI_CODES,
};

const INTRODUCTION = `# Failure codes

Made from the catalogues in the code; a test fails when they differ. \`signalbox explain CODE\` says the same. The class is the
policy: \`retryable\` may be tried again, \`terminal\` gives the same answer again, \`unknown\` may or may not have been done. What
\`signalbox check\` finds in a runbook has codes of its own: [findings.md](findings.md).
`;

describe('failure codes', () => {
  it('are documented as they are', async () => {
    const sections = Object.entries(CATALOGUES).map(([title, codes]) =>
      ['', `## ${title}`, '', ...codeTable(codes)].join('\n'),
    );
    await expect(`${[INTRODUCTION.trimEnd(), ...sections].join('\n')}\n`).toMatchFileSnapshot(
      '../../docs/reference/codes.md',
    );
  });

  it('have one home each', () => {
    const codes = Object.values(CATALOGUES).flatMap((catalogue) => Object.keys(catalogue));
    expect(codes.filter((code, i) => codes.indexOf(code) !== i)).toEqual([]);
  });

  it('say what to do next, each in a sentence', () => {
    for (const [code, { means, next }] of Object.values(CATALOGUES).flatMap((c) => Object.entries(c))) {
      expect(means, code).toMatch(/[.:]$|[.]$/);
      expect(next.length, code).toBeGreaterThan(3);
    }
  });
});
