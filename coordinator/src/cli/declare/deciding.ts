import { type Command, Option } from 'commander';
import { collect } from '../arguments-collect.ts';
import type { AbortOptions } from '../commands/abort.ts';
import type { ApproveOptions } from '../commands/approve.ts';
import type { AdjustOptions, NoteOption, ResolveOptions, StepOptions } from '../commands/decisions.ts';
import { type Declare, example, NOTE, RUN, STEP } from '../declare.ts';

/** Commands that change what a run does. The run is always named, and what needs a reason asks for one. */
export const decidingCommands: Declare = (program, go) => {
  program
    .command('approve')
    .summary('say yes to an approval')
    .description('Shows what is approved, on what evidence, and what becomes irreversible; then says yes in your name.')
    .argument('<run>', RUN)
    .argument('<step>', STEP)
    .option('--note <text>', NOTE)
    .option('--yes', 'do not ask once more')
    .addHelpText('after', example('signalbox approve mongodb-cutover-3 go'))
    .action((run: string, step: string, options: ApproveOptions) =>
      go(async (cli) => (await import('../commands/approve.ts')).approve(cli, [run, step], options)),
    );

  program
    .command('reject')
    .summary('say no to an approval')
    .description('Holds the run. Resuming it asks everybody again.')
    .argument('<run>', RUN)
    .argument('<step>', STEP)
    .requiredOption('--note <text>', NOTE)
    .addHelpText('after', example('signalbox reject mongodb-cutover-3 go --note "the backup is not done"'))
    .action((run: string, step: string, options: { note: string }) =>
      go(async (cli) => (await import('../commands/approve.ts')).reject(cli, [run, step], options)),
    );

  program
    .command('confirm')
    .summary('a manual step was done')
    .description('Says that the manual step that the run waits for was done by hand, or taken back on the way back.')
    .argument('<run>', RUN)
    .argument('<step>', STEP)
    .requiredOption('--note <text>', 'what was done, for the log')
    .addHelpText('after', example('signalbox confirm mongodb-cutover-3 crm-told --note "told Ada at 02:05"'))
    .action((run: string, step: string, options: { note: string }) =>
      go(async (cli) => (await import('../commands/approve.ts')).confirm(cli, [run, step], options)),
    );

  program
    .command('pause')
    .summary('start nothing more')
    .description(
      'What runs finishes; commands that no host has begun are withdrawn; fences stay watched; clocks run on.',
    )
    .argument('<run>', RUN)
    .option('--note <text>', NOTE)
    .addHelpText('after', example('signalbox pause node-upgrade-3'))
    .action((run: string, options: NoteOption) =>
      go(async (cli) => (await import('../commands/decisions.ts')).pause(cli, run, options)),
    );

  program
    .command('resume')
    .summary('go on after a pause or a hold')
    .description('Goes on. Gates and fences are asked again; a step that failed wants a decision of its own first.')
    .argument('<run>', RUN)
    .option('--note <text>', NOTE)
    .addHelpText('after', example('signalbox resume node-upgrade-3'))
    .action((run: string, options: NoteOption) =>
      go(async (cli) => (await import('../commands/decisions.ts')).resume(cli, run, options)),
    );

  onStep(program, 'retry')
    .summary('try a failed step again')
    .description('Sends a new attempt of a step that has failed.')
    .addHelpText('after', example('signalbox retry node-upgrade-3 node-started --note "disk freed"'))
    .action((run: string, step: string, options: StepOptions) =>
      go(async (cli) => (await import('../commands/decisions.ts')).retry(cli, [run, step], options)),
    );

  onStep(program, 'skip')
    .summary('go on without a step')
    .description('Goes on without a step. Never satisfies a guard of a point of no return, nor an exclusive stop.')
    .addHelpText('after', example('signalbox skip node-upgrade-3 signing-not-lower --note "checked by hand"'))
    .action((run: string, step: string, options: StepOptions) =>
      go(async (cli) => (await import('../commands/decisions.ts')).skip(cli, [run, step], options)),
    );

  onStep(program, 'resolve')
    .summary('say what became of a step that nobody knows')
    .description('Says, in your name, whether a step with an unknown outcome was done.')
    .addOption(
      new Option('--as <outcome>', 'what became of it').choices(['succeeded', 'not-done']).makeOptionMandatory(),
    )
    .addHelpText(
      'after',
      example(
        'signalbox resolve mongodb-cutover-3 \'writers-stopped[svc]\' --host kube-1 --as succeeded --note "looked"',
      ),
    )
    .action((run: string, step: string, options: ResolveOptions) =>
      go(async (cli) => (await import('../commands/decisions.ts')).resolve(cli, [run, step], options)),
    );

  program
    .command('drop')
    .summary('go on without a host')
    .description('Goes on without a host: its commands are withdrawn, and the report names it.')
    .argument('<run>', RUN)
    .requiredOption('--host <host>', 'the host')
    .requiredOption('--note <text>', NOTE)
    .addHelpText('after', example('signalbox drop node-upgrade-3 --host miner-7 --note "power supply is dead"'))
    .action((run: string, options: { host: string; note: string }) =>
      go(async (cli) => (await import('../commands/decisions.ts')).drop(cli, run, options)),
    );

  program
    .command('adjust')
    .summary('give a gate more time, or another threshold')
    .description('Changes what a gate of a running run waits for. The change and your reason stand in the log.')
    .argument('<run>', RUN)
    .argument('<step>', 'the gate')
    .option('--timeout <duration>', '+20m adds to what it has, 40m is the whole')
    .option('--until <value.operator=want>', 'one comparison; may be repeated', collect)
    .requiredOption('--note <text>', NOTE)
    .addHelpText(
      'after',
      example('signalbox adjust mongodb-cutover-3 lag-zero --timeout +20m --note "a batch job is writing"'),
    )
    .action((run: string, step: string, options: AdjustOptions) =>
      go(async (cli) => (await import('../commands/decisions.ts')).adjust(cli, [run, step], options)),
    );

  program
    .command('abort')
    .summary('take everything back, or stop and leave it')
    .description(
      'Ends a run. One of --undo and --leave must be said; --dry-run shows what would follow and does nothing.',
    )
    .argument('<run>', RUN)
    .option('--undo', 'take everything back, in reverse order')
    .option('--to <step>', 'with --undo: only what comes after this step; the run is then held')
    .option('--leave', 'stop here and leave everything as it is')
    .option('--dry-run', 'show each undo, its host and what stays behind')
    .option('--note <text>', `${NOTE}; wanted unless it is a dry run`)
    .addHelpText('after', example('signalbox abort mongodb-cutover-3 --undo --dry-run'))
    .action((run: string, options: AbortOptions) =>
      go(async (cli) => (await import('../commands/abort.ts')).abort(cli, run, options)),
    );

  program
    .command('note')
    .summary('write something into the log of a run')
    .description('Adds a note with your name to the log of a run.')
    .argument('<run>', RUN)
    .argument('<text...>', 'the note')
    .addHelpText('after', example('signalbox note mongodb-cutover-3 "CRM team told"'))
    .action((run: string, text: string[]) =>
      go(async (cli) => (await import('../commands/decisions.ts')).note(cli, run, text)),
    );

  program
    .command('take')
    .summary('take a run over from somebody')
    .description('Makes you the owner: pages go to you. Prints the board, the last notes and the open decisions.')
    .argument('<run>', RUN)
    .addHelpText('after', example('signalbox take mongodb-cutover-3'))
    .action((run: string) => go(async (cli) => (await import('../commands/take.ts')).take(cli, run)));

  program
    .command('acknowledge')
    .summary('a page has been seen')
    .description('Stops the repeated pages of a held run. The run waits as before.')
    .argument('<run>', RUN)
    .addHelpText('after', example('signalbox acknowledge mongodb-cutover-3'))
    .action((run: string) => go(async (cli) => (await import('../commands/decisions.ts')).acknowledge(cli, run)));
};

function onStep(program: Command, name: string): Command {
  return program
    .command(name)
    .argument('<run>', RUN)
    .argument('<step>', STEP)
    .option('--host <host>', 'on this host; wanted where several could be meant')
    .option('--item <key>', 'item of a forEach, instead of brackets in the step')
    .requiredOption('--note <text>', NOTE);
}
