import { it } from 'vitest';
import { runModel } from './model.ts';
import { watchScreen } from './watch.ts';
import { heldScreen } from './held.ts';
import { whyScreen } from './why.ts';
import { gateHeldInput, silentInput, undoingInput, waitingInput } from './testing/scenes.ts';
import { reportScreen } from './report.ts';
import { reportOf } from './report-model.ts';
it('x', () => {
  console.log(watchScreen(runModel(waitingInput([12, 11, 9, 8, 6])), { keys: 'KEYS' }).join('\n'));
  console.log(heldScreen(silentInput()).join('\n'));
  console.log(heldScreen(gateHeldInput()).join('\n'));
  console.log(watchScreen(runModel(undoingInput())).join('\n'));
  console.log(whyScreen(undoingInput()).join('\n'));
  const i = gateHeldInput();
  console.log(reportScreen(reportOf(i.state, i.entries, i.nowMs), { format: 'text', timeZone: 'UTC' }).join('\n'));
});
