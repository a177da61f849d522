import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../program.ts';
import { completionScript, SHELLS } from './completion.ts';

const program = buildProgram({ version: '0.0.0', output: {}, go: async () => {} });

/** What bash would offer after these words. */
function offered(...words: string[]): string[] {
  const script = [
    completionScript(program, 'bash'),
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`,
    `COMP_CWORD=${words.length - 1}`,
    '_signalbox',
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  return execFileSync('bash', ['-c', script], { encoding: 'utf8', cwd: '/' }).trim().split('\n');
}

describe('completion', () => {
  it.each(SHELLS)('for %s knows every command', (shell) => {
    const script = completionScript(program, shell);
    for (const command of program.commands) expect(script).toContain(command.name());
  });

  it('completes commands and their options in a real bash', () => {
    expect(offered('signalbox', 'exp')).toEqual(['explain']);
    expect(offered('signalbox', 'abort', 'run-1', '--')).toEqual(
      expect.arrayContaining(['--undo', '--leave', '--mesh', '--json']),
    );
    expect(offered('signalbox', '--json', 'wait', '--ti')).toEqual(['--timeout']);
    expect(offered('signalbox', '--me')).toEqual(['--mesh']);
  });

  it('completes commands inside a command', () => {
    expect(offered('signalbox', 'hosts', 'r')).toEqual(['revoke', 'rotate']);
    expect(offered('signalbox', 'hosts', 'rotate', 'miner-1', '--with')).toEqual(['--withdraw']);
    for (const shell of SHELLS) expect(completionScript(program, shell)).toContain('withdraw');
  });
});
