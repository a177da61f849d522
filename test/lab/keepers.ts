import { readdirSync, readFileSync } from 'node:fs';

/** The process that keeps the steps of the agent with this state folder; there is none while nothing has run for a while. */
export function keeperOf(stateDir: string): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => {
    const [, program, folder] = argvOf(pid);
    return program?.endsWith('/agent/dist/keeper.js') && folder === stateDir;
  });
  return found === undefined ? undefined : Number(found);
}

function argvOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
