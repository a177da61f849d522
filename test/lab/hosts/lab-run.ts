import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { LogEntry, type RunEvent } from '@signalbox/protocol';
import { until } from '@signalbox/protocol/testing';
import { stringify } from 'yaml';
import { z } from 'zod';
import { RunRecord } from '../../demo/run-record.ts';
import { endProcess } from '../janitor.ts';
import type { Lab } from './lab.ts';
import { ENVIRONMENT } from './lab-host.ts';
import type { People } from './people.ts';
import { COORDINATOR_HOST } from './plan.ts';
import { signalbox } from './signalbox.ts';

const Started = z.object({ started: z.string() });
/** A whole run with its reboots, on a machine that does other things as well. */
const RUN_MS = 150_000;

/** A run on the lab, followed from its log as an operator on the coordinator's host follows it. */
export class LabRun implements AsyncDisposable {
  readonly id: string;
  readonly record: RunRecord;
  readonly events: RunEvent[] = [];
  readonly #feed: ChildProcess;
  readonly #people: People | undefined;
  /** What people could not do; the run would wait for them for ever. */
  #refused: unknown;

  /**
   * Starts a runbook that lies on the coordinator's host.
   * @param people without whom steps that are theirs stay as they are. @throws Error with what `signalbox start` says.
   */
  static async start(
    lab: Lab,
    runbook: string,
    params: Readonly<Record<string, unknown>>,
    people?: People,
  ): Promise<LabRun> {
    const file = '/root/params.yaml';
    lab.host(COORDINATOR_HOST).put(file, stringify(params));
    return await LabRun.#begun(lab, ['start', runbook, '--params', file], people);
  }

  /** Takes an earlier run back, whatever was written since. @throws Error with what `signalbox undo` says. */
  static undo(lab: Lab, run: string, note: string, people: People): Promise<LabRun> {
    return LabRun.#begun(lab, ['undo', run, '--accept-loss', '--note', note], people);
  }

  static async #begun(lab: Lab, words: readonly string[], people?: People): Promise<LabRun> {
    const { exitCode, stdout, stderr } = await signalbox(lab, ...words, '--yes', '--detach', '--json');
    const [verb] = words;
    if (exitCode !== 0) throw new Error(`signalbox ${verb} ended with ${exitCode}: ${stderr.trim()} ${stdout.trim()}`);
    return new LabRun(lab, Started.parse(JSON.parse(stdout)).started, people);
  }

  private constructor(lab: Lab, id: string, people?: People) {
    this.id = id;
    this.#people = people;
    this.record = new RunRecord(id);
    const [file, ...args] = lab.host(COORDINATOR_HOST).enter(['signalbox', 'events', id, '--json', '--follow']);
    this.#feed = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'], env: ENVIRONMENT });
    const lines = createInterface({ input: this.#feed.stdout ?? process.stdin });
    lines.on('line', (line) => {
      if (!line.startsWith('{')) return;
      const entry = LogEntry.parse(JSON.parse(line));
      this.record.add(entry);
      this.events.push(...entry.events);
      for (const event of entry.events) this.#tell(event);
    });
  }

  #tell(event: RunEvent): void {
    this.#people?.(this.id, event).catch((error: unknown) => {
      this.#refused = error;
    });
  }

  /** The first event that fits, from the beginning of the log. */
  event<T extends RunEvent>(what: string, fits: (event: RunEvent) => event is T): Promise<T>;
  event(what: string, fits: (event: RunEvent) => boolean): Promise<RunEvent>;
  async event(what: string, fits: (event: RunEvent) => boolean): Promise<RunEvent> {
    const look = () => this.events.find(fits) ?? (this.record.outcome === undefined ? undefined : null);
    const found = await until(`${what} in ${this.id}`, look, { timeoutMs: RUN_MS });
    if (found === null) throw new Error(`${this.id} is ${this.record.outcome} without ${what}`);
    return found;
  }

  /** Resolves when the host has taken the command of a step. */
  accepted(step: string, host: string): Promise<RunEvent> {
    return this.event(
      `${step} on ${host} accepted`,
      (event) => event.type === 'StepAccepted' && event.step === step && event.host === host,
    );
  }

  /** @returns how it ended. @throws Error that says what it is held for, when it is held for anything but an unknown outcome. */
  async ended(): Promise<string> {
    return await until(
      `${this.id} to end`,
      () => {
        if (this.#refused !== undefined) throw this.#refused;
        const held = this.events.findLast(({ type }) => ['Held', 'HoldLifted', 'Resumed'].includes(type));
        if (held?.type === 'Held' && held.reasons.some(({ cause }) => cause !== 'unknown')) {
          throw new Error(`${this.id} is held: ${held.reasons.map(({ failure }) => failure.message).join('; ')}`);
        }
        return this.record.outcome;
      },
      { timeoutMs: RUN_MS },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endProcess(this.#feed);
    if (this.#feed.exitCode === null && this.#feed.signalCode === null) await once(this.#feed, 'exit');
  }
}
