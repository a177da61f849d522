import type { Paint } from './paint.ts';
import type { Proof } from './proof.ts';

const LABEL_WIDTH = 28;

/** The proof as a person reads it: what was counted, and what it would be if something were wrong. */
export function proofTable(proof: Proof, { green, red, bold, dim }: Paint): string[] {
  const judged = (text: string, good: boolean) => (good ? green(text) : red(text));
  const row = (label: string, text: string) => `  ${label.padEnd(LABEL_WIDTH)} ${text}`;
  const { executions, commands, doubles, signing } = proof;
  const each = doubles === 0 ? 'each exactly once' : `${doubles} twice`;
  return [
    row(
      'executions on the hosts',
      `${judged(`${executions} of ${commands} commands, ${each}`, executions === commands && doubles === 0)} ${dim('(marks that the programs left)')}`,
    ),
    row(
      'coordinator killed',
      `${proof.coordinatorKills}, resumed in ${(proof.resumeMs / 1000).toFixed(1)} s, ${judged(`${doubles} steps repeated`, doubles === 0)}`,
    ),
    row(
      'signing height',
      `${signing.before} before, ${judged(`lowest since ${signing.lowest}`, signing.lowest > signing.before)}, now ${signing.now}`,
    ),
    row(
      'double signs',
      `${judged(bold(String(proof.doubleSigns)), proof.doubleSigns === 0)}      the guide's own rollback, run beside it in a second sandbox: ${red(bold(String(proof.naiveDoubleSigns)))}`,
    ),
    row(
      'files, units, versions',
      `${judged(proof.filesChanged === 0 ? 'as before' : `${proof.filesChanged} differ`, proof.filesChanged === 0)} ${dim(`(sha256 of ${proof.filesCompared} files)`)}`,
    ),
  ];
}
