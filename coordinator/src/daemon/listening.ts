import type { IncomingReport, Unsubscribe } from '@signalbox/bus';
import { type ControlReport, SignalboxError } from '@signalbox/protocol';
import { passPoint } from '@signalbox/protocol/points';
import type { Input } from '@signalbox/sequencer';
import type { Ports } from './ports.ts';
import { contradictionOf, inputOf, readReport } from './reports.ts';
import type { Runner } from './runner.ts';

/** How long to wait before a run whose reports the bus could not give asks for them again. */
const RETRY_MS = 2_000;

export interface ListeningOptions {
  readonly ports: Ports;
  readonly runner: Runner;
  /** What a host answers to a fence; asked before the report counts as received. */
  readonly onControl: (report: ControlReport) => Promise<void>;
}

/** Hands what hosts report to the runner of their run. */
export class Listening {
  readonly #options: ListeningOptions;
  #unsubscribe: Unsubscribe | undefined;
  #stopped = false;

  constructor(options: ListeningOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the bus gives reports, or when it is stopped before. A run that is led and hears none would wait for
   * ever: the bus is asked until it gives them.
   */
  async begin(): Promise<void> {
    const { ports, runner } = this.#options;
    const { bus, clock, log } = ports;
    const { run } = runner;
    while (!this.#stopped) {
      try {
        const unsubscribe = await bus.reports(run, runner.state.epoch, (report) => this.#onReport(report));
        if (this.#stopped) await unsubscribe();
        else this.#unsubscribe = unsubscribe;
        return;
      } catch (error) {
        if (!(error instanceof SignalboxError)) throw error;
        log.warn({ run, code: error.code }, `no reports yet: ${error.message}`);
        await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
      }
    }
  }

  /** Reports that come from here on are left for whoever leads the run next. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#unsubscribe?.();
  }

  async #onReport(report: IncomingReport): Promise<void> {
    passPoint('coordinator.report.received');
    await this.#orLeave(report, async () => {
      const { ports, runner, onControl } = this.#options;
      const payload = readReport(runner.state, report);
      const what = contradictionOf(runner.state, payload);
      if (what !== undefined) await runner.submit({ type: 'contradicted', host: report.host, what });
      if (payload.type === 'control') await onControl(payload);
      const input = inputOf(payload, Buffer.from(report.data).toString());
      if (input === undefined || runner.released) return await this.#decide(report, input);
      // The reports behind it do not wait: they may be what other hosts answer.
      runner.whenHeard(() => {
        this.#orLeave(report, () => this.#decide(report, input)).catch((error: unknown) =>
          ports.log.error({ run: runner.run, err: error }, 'a report was not decided on; it comes again'),
        );
      });
    });
  }

  /** Acknowledged only after the append: a report that came while the log could not be written comes again [I8]. */
  async #decide(report: IncomingReport, input: Input | undefined): Promise<void> {
    if (input) await this.#options.runner.submit(input);
    passPoint('coordinator.report.decided');
    report.ack();
  }

  /** What cannot be believed, or decided, is not asked for again; what came to a deposed leader is for the next one. */
  async #orLeave(report: IncomingReport, work: () => Promise<void>): Promise<void> {
    const { ports, runner } = this.#options;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      ports.log.warn({ run: runner.run, host: report.host, code: error.code }, error.message);
      if (error.code !== 'SB-COORD-DEPOSED') report.ack();
    }
  }
}
