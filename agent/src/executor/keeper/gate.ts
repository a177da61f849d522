import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { getSystemErrorName } from 'node:util';
import type { joinUnit } from './join-unit.ts';
import type { Exit, StartRequest, UnitRequest } from './wire.ts';

export interface Passage extends StartRequest {
  unit: UnitRequest;
  join: typeof joinUnit;
  /** Called when the program may begin. */
  onOpen: () => void;
}

/** Essential on Debian (perl-base), like a shell, and unlike a shell it hands environment and arguments on as they are. */
export const PERL = '/usr/bin/perl';

/**
 * Waits on descriptor 3 for an environment (NAME=VALUE, each ended by a NUL, and one more NUL), says so, and becomes the
 * program; says the system's error when it cannot. Perl opens descriptors above 2 close-on-exec. Without the last NUL
 * the keeper has gone, and nothing is begun.
 */
const GATE = String.raw`
open my $gate, '+<&=', 3 or exit 1;
my $said = do { local $/; <$gate> };
$said =~ s/\0\0\z// or exit 1;
%ENV = map { split /=/, $_, 2 } split /\0/, $said;
syswrite $gate, '+';
exec { $ARGV[0] } @ARGV;
syswrite $gate, $! + 0;
exit 1;
`;

/**
 * Starts a process that becomes the program when it has its unit: neither the program nor anything that it starts is ever
 * outside. systemd-run does as much, but its own failure looks like one of the program, and it tells arguments to the
 * journal.
 */
export function spawnAtGate({ argv, cwd, stdin }: StartRequest, [out, err]: readonly number[]): ChildProcess {
  return spawn(PERL, ['-e', GATE, '--', ...argv], {
    detached: true,
    env: {},
    stdio: [stdin === undefined ? 'ignore' : 'pipe', out, err, 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
}

/** Puts it into its unit and lets it begin. @returns undefined when it has begun, else why nothing was run. Never throws. */
export async function passGate(
  child: ChildProcess,
  { argv, env, unit, join, onOpen }: Passage,
): Promise<Extract<Exit, { reason: string }> | undefined> {
  const gate = child.stdio[3] as Duplex;
  // It may be killed while it waits.
  gate.on('error', () => {});
  const refused = await join(child.pid ?? 0, unit).catch(String);
  if (refused !== undefined) {
    gate.destroy();
    return { type: 'no-unit', reason: refused };
  }
  onOpen();
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}\0`);
  gate.end(`${variables.join('')}\0`);
  const [begins, errno] = /^(\+)?(\d*)$/.exec(await text(gate).catch(() => ''))?.slice(1) ?? [];
  if (begins === undefined) return { type: 'not-started', reason: 'it ended before it began' };
  return errno ? { type: 'not-started', reason: `spawn ${argv[0]} ${getSystemErrorName(-Number(errno))}` } : undefined;
}
