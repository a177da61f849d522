import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { buildProgram } from './program.ts';
import { cliReference } from './reference.ts';

const PAGE = fileURLToPath(new URL('../../../docs/reference/cli.md', import.meta.url));

const program = buildProgram({ version: '0.0.0', output: {}, go: async () => {} });

describe('the command line', () => {
  it('is what docs/reference/cli.md says', async () => {
    await expect(cliReference()).toMatchFileSnapshot(PAGE);
  });

  it.each(program.commands.map((command) => command.name()))('%s has an example that names it', (name) => {
    const section = cliReference().split(`\n## ${name}\n`)[1]?.split('\n## ')[0];
    expect(section).toMatch(new RegExp(`Example:\\n  \\$ (eval "\\$\\()?signalbox ${name}\\b`));
  });

  it('has every command of a night', () => {
    const names = program.commands.map((command) => command.name());
    expect(names).toEqual(
      expect.arrayContaining(
        `dev hosts exec probe check plan start runs status watch wait events logs approve reject pause resume retry skip
         resolve abort note explain report doctor completion coordinator confirm adjust drop take`.split(/\s+/),
      ),
    );
  });

  it('asks for a note wherever a decision needs a reason', () => {
    const wants = program.commands
      .filter((command) => command.options.some(({ long, mandatory }) => long === '--note' && mandatory))
      .map((command) => command.name());
    expect(wants.sort()).toEqual(['adjust', 'confirm', 'drop', 'reject', 'resolve', 'retry', 'skip']);
  });
});
