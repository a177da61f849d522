import { BEAT_MS, type ControlReport, SignalboxError } from '@signalbox/protocol';
import { isInFlight } from '@signalbox/sequencer';
import { controlId } from './commands.ts';
import type { Hosts } from './hosts.ts';
import type { Ports } from './ports.ts';
import type { HostQueries } from './queries.ts';
import { inputOf } from './reports.ts';
import type { Runner } from './runner.ts';

export interface FencingOptions {
  readonly ports: Ports;
  readonly hosts: Hosts;
  readonly queries: HostQueries;
  readonly runner: Runner;
}

/** A host that has not answered by then counts as silent, as one that has stopped beating for so long does. */
const ANSWER_MS = 5 * BEAT_MS;

/**
 * What a new leader does before it asks anything of the world [D3]. It announces its epoch to each host of the run, so
 * that nobody obeys the leader before it any more, and hears what each has in its journal. When that is not in the log,
 * the log has lost its end: the run is held, and nothing is overwritten. When a host obeys somebody with a higher epoch,
 * the run is led above it. What a host has ended and the log does not know is fetched from it.
 */
export class Fencing {
  readonly #options: FencingOptions;
  readonly #answered = new Set<string>();
  #cancel: () => void = () => {};

  constructor(options: FencingOptions) {
    this.#options = options;
  }

  begin(): void {
    const { runner, ports } = this.#options;
    this.#cancel();
    this.#answered.clear();
    runner.effects.commands.fence();
    if (!runner.released) this.#cancel = ports.clock.after(ANSWER_MS, () => this.#giveUp());
    this.look();
  }

  stop(): void {
    this.#cancel();
  }

  /** The run goes on as soon as nobody is waited for any more: it has answered, or is silent. */
  look(): void {
    if (this.#waiting().length > 0) return;
    this.#cancel();
    this.#options.runner.release();
  }

  /** Also of use when it comes late: what contradicts the log holds the run then. */
  async answered(report: ControlReport): Promise<void> {
    const { runner, ports } = this.#options;
    const { state } = runner;
    const isAwaited = report.controlId === controlId(state, 'fence');
    if (report.failure) {
      if (!isAwaited) return;
      runner.holdBack();
      const epoch = Math.max(state.epoch, report.seen?.epoch ?? 0) + 1;
      ports.log.warn({ run: runner.run, host: report.host, epoch }, 'a host obeys a later leader; leading above it');
      await runner.submit({ type: 'lead', coordinator: ports.name, epoch, nonce: ports.newId() });
      this.begin();
      return;
    }
    const what = contradictionIn(runner, report);
    if (what !== undefined) await runner.submit({ type: 'contradicted', host: report.host, what });
    // When this leader has announced another epoch since, the host is told of the log as it is, and forgets what it was told before.
    if (!isAwaited) return;
    // Not waited for: the next report may be what the host would answer.
    this.#fetch(report)
      .catch((error: unknown) => ports.log.error({ run: runner.run, err: error }, 'fetching outcomes'))
      .finally(() => {
        this.#answered.add(report.host);
        this.look();
      });
  }

  #waiting(): string[] {
    const { runner, hosts } = this.#options;
    const names = runner.state.plan.hosts.map((host) => host.name);
    return names.filter((name) => !this.#answered.has(name) && hosts.stateOf(name) !== 'silent');
  }

  #giveUp(): void {
    const { runner, ports } = this.#options;
    for (const host of this.#waiting()) {
      runner
        .submit({ type: 'silent', host, lastSeenAtMs: undefined })
        .catch((error: unknown) => ports.log.warn({ run: runner.run, err: error }, 'silent'));
    }
    runner.release();
  }

  /**
   * What the host has ended, and the log does not know of; decided on when all have answered. What it does not answer now it
   * reports by itself.
   */
  async #fetch({ host, known = [] }: ControlReport): Promise<void> {
    const { runner, queries, ports } = this.#options;
    const open = [...runner.state.cells.values()].flatMap((cell) => {
      const mine =
        cell.host === host && cell.work?.kind === 'command' && (isInFlight(cell) || cell.phase === 'unknown');
      return mine && cell.work?.kind === 'command' && known.includes(cell.work.id) ? [cell.work.id] : [];
    });
    if (open.length === 0) return;
    const fetched = await this.#orSay(host, queries.settle(host, open));
    for (const { report, sealed } of fetched ?? []) {
      const input = inputOf(report, sealed);
      if (!input || report.run !== runner.run) continue;
      runner.whenHeard(() => {
        this.#orSay(host, runner.submit(input)).catch((error: unknown) =>
          ports.log.error({ run: runner.run, err: error }, 'what was fetched was not decided on; it is reported'),
        );
      });
    }
  }

  async #orSay<T>(host: string, fetched: Promise<T>): Promise<T | undefined> {
    const { runner, ports } = this.#options;
    try {
      return await fetched;
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      ports.log.info({ run: runner.run, host, code: error.code }, `not fetched: ${error.message}`);
      return undefined;
    }
  }
}

/** What the host knows of this run, and the log does not. */
function contradictionIn(runner: Runner, { seen, known = [] }: ControlReport): string | undefined {
  const asked = runner.asked();
  const strange = known.filter((id) => !asked.has(id));
  if (strange.length > 0) return `knows of ${strange.slice(0, 5).join(', ')}, which the log has never asked for`;
  if (seen === undefined || runner.hasHead(seen.head)) return undefined;
  return `was told of entry ${seen.head.sequence} (${seen.head.hash.slice(0, 8)}), which is not in the log`;
}
