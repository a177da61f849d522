import type {
  CloudEvent,
  HostRecord,
  HostState,
  LogEntry,
  RunEvent,
  StatusData,
  StatusEventType,
} from '@signalbox/protocol';
import { type Cell, cellKey, type RunState } from '@signalbox/sequencer';
import type { Ports } from './ports.ts';
import type { LiveGate } from './samplers.ts';

/** Publishes what monitoring may know, as CloudEvents 1.0. Derived from the log, at least once; never the truth itself. */
export class StatusEvents {
  readonly #ports: Ports;
  #count = 0;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  host(record: HostRecord, state: HostState): void {
    const { health, labels, skewMs } = record;
    this.#publish('dev.signalbox.host.health', ['host', record.name], {
      host: record.name,
      state,
      labels,
      running: health?.running ?? [],
      ...(health?.load.cpuPercent === undefined ? {} : { cpuPercent: health.load.cpuPercent }),
      ...(health?.load.memoryPercent === undefined ? {} : { memoryPercent: health.load.memoryPercent }),
      ...(health === undefined ? {} : { agentRssBytes: health.load.agentRssBytes }),
      ...(skewMs === undefined ? {} : { skewMs }),
    });
  }

  /** Every step that an entry moved, and the run itself when its status did. */
  entry(before: RunState, after: RunState, entry: LogEntry): void {
    entry.events.forEach((event, i) => {
      const cell = cellOfEvent(after, event);
      if (cell) this.#step(after, cell, `${after.run}-${entry.index}-${i}`);
    });
    if (
      before.status === after.status &&
      before.owner === after.owner &&
      before.crossed.length === after.crossed.length
    )
      return;
    const data = {
      run: after.run,
      runbook: after.plan.runbook.name,
      status: after.status,
      reversible: after.crossed.length === 0,
      owner: after.owner,
      reasons: after.reasons.map((reason) => reason.failure),
    };
    this.#publish('dev.signalbox.run.changed', ['run', after.run], data, `${after.run}-${entry.index}`);
  }

  #step(state: RunState, cell: Cell, id: string): void {
    const { step, host, direction, phase, failure } = cell;
    const attempt = cell.attempts[direction];
    const data = { run: state.run, step, host, direction, attempt, phase, ...(failure ? { failure } : {}) };
    this.#publish('dev.signalbox.step.changed', ['step', state.run], data, id);
  }

  gate(run: string, { step, host, samples, heldMs }: LiveGate, forMs: number): void {
    const values = samples.at(-1)?.values;
    if (values) this.#publish('dev.signalbox.gate.sampled', ['gate', run], { run, step, host, values, heldMs, forMs });
  }

  page(data: StatusData<'dev.signalbox.page'>): CloudEvent<'dev.signalbox.page'> {
    return this.#publish('dev.signalbox.page', ['page', data.run], data);
  }

  #publish<T extends StatusEventType>(
    type: T,
    [what, name]: [string, string],
    data: StatusData<T>,
    id?: string,
  ): CloudEvent<T> {
    const { bus, mesh, name: source, clock } = this.#ports;
    this.#count += 1;
    const event: CloudEvent<T> = {
      specversion: '1.0',
      id: id ?? `${source}-${clock.wallMs()}-${this.#count}`,
      source: `signalbox/${mesh}/${source}`,
      type,
      subject: name,
      time: new Date(clock.wallMs()).toISOString(),
      datacontenttype: 'application/json',
      data,
    };
    bus.publishStatus(what, name, Buffer.from(JSON.stringify(event)));
    return event;
  }
}

function cellOfEvent(state: RunState, event: RunEvent): Cell | undefined {
  if (!('step' in event) || event.step === undefined) return undefined;
  const host = 'host' in event ? (event.host ?? null) : null;
  return state.cells.get(cellKey(event.step, host));
}
