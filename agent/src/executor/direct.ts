import { constants, openSync, unlinkSync } from 'node:fs';
import { statOf } from './processes.ts';
import type { Starter } from './starter.ts';
import { treeOf } from './tree.ts';

const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/**
 * Starts what only asks (status queries, samples) as the agent's own children: after a crash nobody wants its answer.
 * Its output is in files without a name, of which nothing is left on disk, whatever happens.
 */
export const directStarter: Starter = {
  async start({ argv, env, cwd, stdin, files }) {
    // Loaded by the first step: an idle agent is light.
    const { execa } = await import('execa');
    const [file, ...args] = argv;
    const [out, err] = [unnamed(`${files}.out`), unnamed(`${files}.err`)];
    const startMs = performance.now();
    const child = execa(file, args, {
      detached: true,
      // Time, group and output are ours: the process must be able to outlive this one.
      cleanup: false,
      buffer: false,
      reject: false,
      extendEnv: false,
      env: { ...env },
      ...(cwd === undefined ? {} : { cwd }),
      ...(stdin === undefined ? { stdin: 'ignore' as const } : { input: stdin }),
      stdout: descriptor(out),
      stderr: descriptor(err),
    });
    const { pid } = child;
    const group = pid === undefined ? undefined : { pid, startTicks: statOf(pid)?.startTicks };
    const exit = child.then(({ exitCode, signal, originalMessage }) => {
      const durationMs = performance.now() - startMs;
      if (exitCode !== undefined) return { type: 'exited' as const, exitCode, durationMs };
      if (signal !== undefined) return { type: 'signalled' as const, signal, durationMs };
      return { type: 'not-started' as const, reason: originalMessage ?? 'not started' };
    });
    return { group, exit, out, err, tree: treeOf(group, { mark: files }) };
  },
};

function unnamed(path: string): number {
  const fd = openSync(path, FLAGS, 0o600);
  unlinkSync(path);
  return fd;
}

/** execa takes any open descriptor and hands it on as it is; its types name only the first few. */
function descriptor(fd: number): 3 {
  return fd as 3;
}
