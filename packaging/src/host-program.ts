import { execa } from 'execa';

/** Runs a program of the build machine. @returns its standard output. @throws Error with what it printed. */
export async function run(
  file: string,
  args: readonly string[],
  { cwd, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { stdout } = await execa(file, args, { env: { LC_ALL: 'C', ...env }, ...(cwd === undefined ? {} : { cwd }) });
  return stdout;
}
