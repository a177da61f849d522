/**
 * Bounds how much runs at once, and keeps the tries at one step apart: an undo waits until the `do` that it takes back has
 * really ended. First come, first served among those whose step is free.
 */
export interface Slots {
  /** Resolves to the release, or to undefined when `signal` aborts first. */
  take(step: string, signal: AbortSignal): Promise<Release | undefined>;
  /** Occupies a step without a slot: what a dead agent left is being found out about. */
  occupy(step: string): Release;
}
export type Release = () => void;

interface Waiting {
  step: string;
  start: (release: Release) => void;
}

export function createSlots(concurrency: number): Slots {
  const busySteps = new Map<string, number>();
  let waiting: Waiting[] = [];
  let used = 0;

  function occupy(step: string): Release {
    busySteps.set(step, (busySteps.get(step) ?? 0) + 1);
    return once(() => {
      const left = (busySteps.get(step) ?? 1) - 1;
      if (left === 0) busySteps.delete(step);
      else busySteps.set(step, left);
      next();
    });
  }

  function hold(step: string): Release {
    used += 1;
    const free = occupy(step);
    return once(() => {
      used -= 1;
      free();
    });
  }

  function next(): void {
    while (used < concurrency) {
      const first = waiting.find(({ step }) => !busySteps.has(step));
      if (first === undefined) return;
      waiting = waiting.filter((other) => other !== first);
      first.start(hold(first.step));
    }
  }

  return {
    occupy,
    take(step, signal) {
      if (signal.aborted) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        const entry: Waiting = {
          step,
          start(release) {
            signal.removeEventListener('abort', leave);
            resolve(release);
          },
        };
        const leave = () => {
          waiting = waiting.filter((other) => other !== entry);
          resolve(undefined);
        };
        signal.addEventListener('abort', leave, { once: true });
        waiting.push(entry);
        next();
      });
    },
  };
}

function once(call: () => void): Release {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    call();
  };
}
