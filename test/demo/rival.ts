import { atTheTip, crashLoops, naiveRollback, naiveUpgrade, outgrowsOthers } from '../lab/naive.ts';
import { type NodeSandbox, startSandbox } from '../lab/sandbox.ts';
import { countDoubleSigns, readSignatures } from '../lab/signatures.ts';
import { INSTALLED } from '../lab/standins/remesd/versions.ts';

/** By then a person at the keyboard has seen that it does not come up. */
const RESTARTS_BEFORE_ROLLBACK = 2;

/**
 * The same bad release and the R3MES guide's own rollback commands, on a node that Signalbox has nothing to do with.
 * @returns at how many heights its validator has signed two different blocks.
 */
export async function guidesOwnRollback(node: NodeSandbox, version: string): Promise<number> {
  await startSandbox(node);
  await atTheTip(node);
  await naiveUpgrade(node, version);
  await crashLoops(node, RESTARTS_BEFORE_ROLLBACK);
  await naiveRollback(node);
  await outgrowsOthers(node, INSTALLED);
  return countDoubleSigns(readSignatures(node));
}
