import { execa } from 'execa';

export interface Answer {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** Runs a program of this machine. A non-zero exit is an answer. @throws Error when it cannot be started. */
export async function ask(
  [file, ...args]: readonly [string, ...string[]],
  { env, input }: { env?: Record<string, string>; input?: string } = {},
): Promise<Answer> {
  const result = await execa(file, args, {
    reject: false,
    stripFinalNewline: false,
    ...(env === undefined ? {} : { env, extendEnv: false }),
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  });
  if (result.exitCode === undefined && result.signal === undefined)
    throw new Error(result.originalMessage ?? `${file}`);
  return { stdout: result.stdout, stderr: result.stderr, exitCode: result.exitCode ?? 128 };
}

/** The same, where anything but success is an error. @returns standard output. */
export async function must(
  argv: readonly [string, ...string[]],
  options: { env?: Record<string, string>; input?: string } = {},
): Promise<string> {
  const answer = await ask(argv, options);
  if (answer.exitCode === 0) return answer.stdout;
  throw new Error(
    `\`${argv.join(' ')}\` ended with ${answer.exitCode}: ${answer.stderr.trim() || answer.stdout.trim()}`,
  );
}
