import { Option } from 'commander';
import { collect } from '../arguments-collect.ts';
import type { AuditOptions } from '../commands/audit.ts';
import type { EventsOptions } from '../commands/events.ts';
import type { VerifyOptions } from '../commands/export.ts';
import type { LogsOptions } from '../commands/logs.ts';
import type { ReportOptions } from '../commands/report.ts';
import type { RunsOptions } from '../commands/runs.ts';
import type { StatusOptions } from '../commands/status.ts';
import type { WaitOptions } from '../commands/wait.ts';
import { type Declare, example, READ_RUN } from '../declare.ts';

/** Commands that only read a run. */
export const lookingCommands: Declare = (program, go) => {
  program
    .command('runs')
    .summary('list runs')
    .description('Lists the runs of the mesh.')
    .option('--active', 'only those that are not over')
    .option('--since <duration>', 'only those that began in this time, such as 7d')
    .addHelpText('after', example('signalbox runs --active'))
    .action((options: RunsOptions) => go(async (cli) => (await import('../commands/runs.ts')).runs(cli, options)));

  program
    .command('status')
    .summary('where a run stands, once')
    .description('Shows where a run stands. A held run shows why, what is known, and every way out.')
    .argument('[run]', READ_RUN)
    .option('--why', 'what each open step waits for')
    .addHelpText('after', example('signalbox status node-upgrade-3 --why'))
    .action((run: string | undefined, options: StatusOptions) =>
      go(async (cli) => (await import('../commands/status.ts')).status(cli, run, options)),
    );

  program
    .command('watch')
    .summary('follow a run')
    .description(
      'Follows a run until it ends: redrawn in place on a terminal, a line an event elsewhere. Ending it does not end the run.',
    )
    .argument('[run]', READ_RUN)
    .addHelpText('after', example('signalbox watch'))
    .action((run: string | undefined) => go(async (cli) => (await import('../commands/watch.ts')).watch(cli, run)));

  program
    .command('wait')
    .summary('wait for something of a run, for scripts')
    .description('Waits until a run is held, is over, or has passed a step. The exit code says what came.')
    .argument('[run]', READ_RUN)
    .requiredOption('--for <what>', 'held, done, or step=ID')
    .option('--timeout <duration>', 'give up after this time, such as 1h')
    .addHelpText('after', example('signalbox wait node-upgrade-3 --for step=chain-moves --timeout 1h'))
    .action((run: string | undefined, options: WaitOptions) =>
      go(async (cli) => (await import('../commands/wait.ts')).wait(cli, run, options)),
    );

  program
    .command('events')
    .summary('the log of a run as sentences')
    .description('Prints the log of a run. With -f and no run: the status events of the whole mesh, as they come.')
    .argument('[run]', READ_RUN)
    .option('-f, --follow', 'go on as the run does')
    .addHelpText('after', example('signalbox events node-upgrade-3', 'signalbox events -f --json'))
    .action((run: string | undefined, options: EventsOptions) =>
      go(async (cli) => (await import('../commands/events.ts')).events(cli, run, options)),
    );

  program
    .command('logs')
    .summary('what the steps printed on their hosts')
    .description('Prints the output of steps. Secrets were replaced before it left the host.')
    .argument('[run]', READ_RUN)
    .argument('[step]', 'only this step')
    .option('--host <host>', 'only this host')
    .option('-f, --follow', 'go on as it comes')
    .addHelpText('after', example('signalbox logs node-upgrade-3 state-backed-up --host node-1 -f'))
    .action((run: string | undefined, step: string | undefined, options: LogsOptions) =>
      go(async (cli) => (await import('../commands/logs.ts')).logs(cli, [run, step], options)),
    );

  program
    .command('report')
    .summary('what happened, for people who were not there')
    .description(
      'Outcome, clocks, gates with the values that passed them, what steps put on record, who said what, and what is left to do by hand.',
    )
    .argument('[run]', READ_RUN)
    .addOption(new Option('--format <format>', 'how it is written').choices(['text', 'md', 'json']).default('text'))
    .option('--export <file>', 'the whole run in one file that `signalbox verify` proves')
    .addHelpText(
      'after',
      example(
        'signalbox report node-upgrade-3 --format md > report.md',
        'signalbox report node-upgrade-3 --export node-upgrade-3.bundle',
      ),
    )
    .action((run: string | undefined, options: ReportOptions) =>
      go(async (cli) => (await import('../commands/report.ts')).report(cli, run, options)),
    );

  program
    .command('verify')
    .summary('prove a run that was exported')
    .description(
      'Proves that nothing in a bundle was changed, and that its hosts and people signed what its log says. Needs no mesh.',
    )
    .argument('<bundle>', 'what `signalbox report RUN --export` wrote')
    .option('--trust <key>', 'public key of a coordinator, instead of those of the settings; may be repeated', collect)
    .option('--authority <key>', 'public key that speaks for people, instead of that of the settings')
    .addHelpText('after', example('signalbox verify node-upgrade-3.bundle'))
    .action((file: string, options: VerifyOptions) =>
      go(async (cli) => (await import('../commands/export.ts')).verify(cli, file, options)),
    );

  program
    .command('audit')
    .summary('who has asked for what, granted or refused')
    .description(
      'Lists what coordinators were asked, by whom, by which key and in which role, as they have sealed it; proves it first. ' +
        'A look that somebody repeats is kept once in ten minutes.',
    )
    .option('--since <duration>', 'only what was asked in this time; 400 days are kept', '1d')
    .option('--refused', 'only what was refused')
    .option('--looks', 'also what changes nothing')
    .option('--by <name>', 'only of this person')
    .option('--run <run>', 'only about this run')
    .option('--trust <key>', 'public key of a coordinator, instead of those of the settings; may be repeated', collect)
    .addHelpText('after', example('signalbox audit --since 7d --refused'))
    .action((options: AuditOptions) => go(async (cli) => (await import('../commands/audit.ts')).audit(cli, options)));

  program
    .command('diagnose')
    .summary('what one looks at first when a service of a host does not come up')
    .description(
      'States of units, their last words, names of their variables (never values), Alembic revisions, compose files, containers, ' +
        'disks and versions, in one answer; what cannot be had is named. Asks the agent of the host and changes nothing.',
    )
    .argument('<host>', 'the host')
    .option('--unit <unit>', 'this unit instead of those of R3MES; may be repeated', collect)
    .option(
      '--folder <path>',
      'look there for Alembic and compose files, besides the folders of the units; may be repeated',
      collect,
    )
    .addHelpText('after', example('signalbox diagnose backend-1', 'signalbox diagnose backend-1 --unit nginx.service'))
    .action((host: string, options: { unit?: string[]; folder?: string[] }) =>
      go(async (cli) => (await import('../commands/diagnose.ts')).diagnose(cli, host, options)),
    );
};
