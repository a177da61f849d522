import type { LogEntry } from '@signalbox/protocol';
import type { RunState } from '@signalbox/sequencer';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Hosts } from './hosts.ts';
import type { Ports } from './ports.ts';
import type { Runs } from './runs.ts';
import type { LiveGate } from './samplers.ts';

/** Prometheus metrics, in base units and conventional names. Run and host names are labels; step items are not. */
export class Metrics {
  readonly registry = new Registry();
  readonly #steps = new Histogram({
    name: 'signalbox_step_duration_seconds',
    help: 'Time of one action on one host, by action and outcome.',
    labelNames: ['runbook', 'step', 'direction', 'outcome'],
    buckets: [0.01, 0.1, 1, 10, 60, 600, 3_600],
    registers: [this.registry],
  });
  readonly #gates = new Gauge({
    name: 'signalbox_gate_value',
    help: 'Newest numeric value of an open gate or fence.',
    labelNames: ['run', 'step', 'host', 'value'],
    registers: [this.registry],
  });
  readonly #pages = new Counter({
    name: 'signalbox_pages_total',
    help: 'Pages sent, repeats included.',
    labelNames: ['why'],
    registers: [this.registry],
  });

  constructor({ ports, hosts, runs }: { ports: Ports; hosts: Hosts; runs: Runs }) {
    const { registry } = this;
    new Gauge({
      name: 'signalbox_runs',
      help: 'Runs that this coordinator leads, by status.',
      labelNames: ['status'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { state } of runs.runners()) this.inc({ status: state.status });
      },
    });
    new Gauge({
      name: 'signalbox_hosts',
      help: 'Enrolled hosts, by health.',
      labelNames: ['state'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { name } of hosts.list()) this.inc({ state: hosts.stateOf(name) });
      },
    });
    new Gauge({
      name: 'signalbox_bus_connected',
      help: '1 while the coordinator is connected to NATS.',
      registers: [registry],
      collect() {
        this.set(ports.bus.connected ? 1 : 0);
      },
    });
    new Counter({
      name: 'signalbox_bus_reconnects_total',
      help: 'Times that the connection to NATS was made again.',
      registers: [registry],
      collect() {
        this.reset();
        this.inc(ports.bus.stats.reconnects);
      },
    });
  }

  entry(state: RunState, entry: LogEntry): void {
    for (const event of entry.events) {
      if ((event.type !== 'StepSucceeded' && event.type !== 'StepFailed') || event.durationMs === undefined) continue;
      const labels = {
        runbook: state.plan.runbook.name,
        step: event.step.replace(/\[[^\]]*\]/g, ''),
        direction: event.direction,
        outcome: event.type === 'StepSucceeded' ? 'succeeded' : 'failed',
      };
      this.#steps.observe(labels, event.durationMs / 1_000);
    }
    // A series of a gate that is over would stand still for ever.
    if (state.endedAtMs !== undefined) this.#gates.reset();
  }

  gate(run: string, { step, host, samples }: LiveGate): void {
    for (const [value, number] of Object.entries(samples.at(-1)?.values ?? {})) {
      if (typeof number === 'number') this.#gates.set({ run, step, host, value }, number);
    }
  }

  page(why: string): void {
    this.#pages.inc({ why });
  }
}
