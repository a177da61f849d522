import type { LogEntry } from '@signalbox/protocol';

/** A way out as the screen prints it, without the program's own name: `resolve RUN two --host a-1 --as succeeded`. */
export type Words = readonly string[];

/** Every whole command among the lines of a screen. */
export function commandsOn(screen: string): Words[] {
  const commands = [...screen.matchAll(/ signalbox ((?:\S+ ?)+)/g)].map(([, words = '']) => words.trim().split(' '));
  return commands.map((words) => words.filter((word) => word !== '...' && word !== '--note'));
}

/** The screen says that nobody has to do anything. */
export function waitsForHost(screen: string): boolean {
  return screen.includes('No command needed.');
}

/** Of the commands on a screen, those about what does not decide itself once its host is back. */
export function personsCommandsOn(screen: string): Words[] {
  const lines = screen.matchAll(/^(?:WHEN )?(\S.*) (?:IS|ARE) BACK\b/gm);
  const deciding = new Set([...lines].flatMap(([, names = '']) => names.split(' and ')));
  return commandsOn(screen).filter((words) => !deciding.has(after(words, '--host') ?? ''));
}

/**
 * What somebody does who has read the screen and looked at the host: says what is there, and else has it tried again.
 * Undefined: the screen offers neither.
 */
export function choiceOf(
  commands: readonly Words[],
  applied: (step: string, host: string) => boolean,
  entries: readonly LogEntry[],
): Words | undefined {
  const told = commands.find((words) => {
    const [verb, , step = ''] = words;
    if (verb !== 'resolve') return false;
    const host = after(words, '--host') ?? '';
    const goal = directionOf(entries, step, host) === 'do';
    return (after(words, '--as') === 'succeeded') === (applied(step, host) === goal);
  });
  return told ?? ['retry', 'resume', 'approve'].flatMap((verb) => commands.filter((words) => words[0] === verb)).at(0);
}

function after(words: Words, option: string): string | undefined {
  const at = words.indexOf(option);
  return at < 0 ? undefined : words[at + 1];
}

function directionOf(entries: readonly LogEntry[], step: string, host: string): 'do' | 'undo' {
  const tries = entries.flatMap(({ events }) =>
    events.flatMap((event) =>
      event.type === 'StepStarted' && event.step === step && event.host === host ? [event.direction] : [],
    ),
  );
  return tries.at(-1) ?? 'do';
}
