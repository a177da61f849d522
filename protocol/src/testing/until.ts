import { SignalboxError } from '../failure.ts';

/** Waits for a condition of the real world; rejects when it has not come true within `withinMs`. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not true within ${withinMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The code of the failure that a promise rejects with; anything else is thrown on. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SignalboxError) return error.code;
    throw error;
  }
  return 'no failure';
}
