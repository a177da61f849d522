import { statSync } from 'node:fs';
import { highestHeight } from '../lab/naive.ts';
import type { Stage } from './phases.ts';

const NOW_WIDTH = 40;

/** The living line: what the validator signs right now, whether there is a coordinator, and what the run waits for. */
export function pulseOf(stage: Stage): () => string {
  const { hosts, mesh, screen } = stage;
  const { green, red, yellow, dim } = screen.paint;
  let size = -1;
  let height = 0;
  return () => {
    const written = statSync(hosts.node.paths.labSignatures).size;
    const moves = written !== size;
    if (moves) height = highestHeight(hosts.node);
    size = written;
    const chain = moves ? green(`height ${height} ▲`) : yellow(`height ${height} ■`);
    const pid = mesh.coordinatorPid;
    const coordinator = pid === undefined ? red('no coordinator') : green(`coordinator ${pid}`);
    const [first = '', ...others] = stage.current?.running ?? [];
    const doing = others.length > 0 ? `${first} and ${others.length} more` : first;
    return `        ${chain}   ${coordinator}   ${dim(doing.slice(0, NOW_WIDTH))}`;
  };
}
