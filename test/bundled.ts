import { bundlePrograms } from '../packaging/dist/programs.js';

/** Before any test: also whoever has only built anew starts the programs that were built. */
export default async function setup(): Promise<void> {
  await bundlePrograms();
}
