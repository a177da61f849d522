import { Command, type OutputConfiguration } from 'commander';
import { decidingCommands } from './declare/deciding.ts';
import { lookingCommands } from './declare/looking.ts';
import { meshCommands } from './declare/meshes.ts';
import { runbookCommands } from './declare/runbooks.ts';
import type { Go } from './declare.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';

export interface ProgramOptions {
  readonly version: string;
  readonly output: OutputConfiguration;
  readonly go: Go;
}

/** All commands, declared and not loaded: `--help` must be there at once. Nothing here ends the process. */
export function buildProgram({ version, output, go }: ProgramOptions): Command {
  const program = new Command('signalbox')
    .description('Moves live systems across hosts, one checked step after the other.')
    .version(version, '--version')
    .option('--mesh <name>', 'which mesh is meant; must be that of the settings (also SIGNALBOX_MESH)')
    .option('--config <file>', 'settings (also SIGNALBOX_CONFIG; else ./signalbox.yaml, ~/.config/signalbox/)')
    .option('--json', 'data instead of text')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput(output)
    .exitOverride()
    .showHelpAfterError(false)
    .helpCommand(false)
    .addHelpText(
      'after',
      () => `\nExit codes: ${EXIT_MEANINGS.map(([code, means]) => `${code} ${means}`).join('; ')}.\n`,
    );
  program.commandsGroup('Runbooks:');
  runbookCommands(program, go);
  program.commandsGroup('Looking at a run:');
  lookingCommands(program, go);
  program.commandsGroup('Deciding:');
  decidingCommands(program, go);
  program.commandsGroup('The mesh:');
  meshCommands(program, go);
  return program;
}
