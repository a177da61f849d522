import type { Command } from '@signalbox/protocol';
import type { Ballots } from './ballots.ts';
import { must } from './broken.ts';
import type { LostTail } from './lost-tail.ts';

/** What a host's disk says for certain, and what was really done there. */
interface Facts {
  readonly intents: Map<string, Command>;
  readonly outcomes: Map<string, string>;
  /** Ids of which a record of any kind is on disk, controls included. */
  readonly known: Set<string>;
  readonly spawned: Map<string, number>;
  epoch: number;
}

/** The disks of the hosts, as a journal may be relied on: line by line, each when it is there for good. */
export class DiskFacts {
  readonly #hosts: ReadonlyMap<string, Facts>;
  readonly #ballots: Ballots;
  readonly #lost: LostTail;

  constructor(hosts: Iterable<string>, { ballots, lost }: { ballots: Ballots; lost: LostTail }) {
    const nothing = (): Facts => ({
      intents: new Map(),
      outcomes: new Map(),
      known: new Set(),
      spawned: new Map(),
      epoch: 0,
    });
    this.#hosts = new Map([...hosts].map((name) => [name, nothing()]));
    this.#ballots = ballots;
    this.#lost = lost;
  }

  of(host: string): Facts {
    const facts = this.#hosts.get(host);
    if (facts === undefined) throw new Error(`no host ${host}`);
    return facts;
  }

  /** A record that the host's disk has for good. @throws Broken */
  add(host: string, record: Record<string, unknown>): void {
    const facts = this.of(host);
    this.#ballots.durable(host, record);
    if (record.type === 'intent') this.#intended(host, record.command as Command);
    else if (record.type === 'control') this.#controlled(host, record);
    else if (record.type === 'vote') facts.known.add(String(record.id));
    else if (record.type === 'refused') facts.known.add(String((record.command as Command).id));
    else if (record.type === 'outcome')
      facts.outcomes.set(String(record.commandId), (record.outcome as { status: string }).status);
  }

  #intended(host: string, command: Command): void {
    const facts = this.of(host);
    this.#ballots.intended(host, command);
    must('I1', !facts.intents.has(command.id), `${host} intends ${command.id} twice`);
    must('I6', command.epoch >= facts.epoch, `${host} accepts epoch ${command.epoch} after ${facts.epoch}`);
    this.#lost.begins(host, command);
    facts.intents.set(command.id, command);
    facts.known.add(command.id);
    facts.epoch = command.epoch;
  }

  #controlled(host: string, record: Record<string, unknown>): void {
    const facts = this.of(host);
    // A fence of a leader that was deposed is answered with what this host knows, and refused by the same record.
    const refused = record.control === 'fence' && record.failure !== undefined;
    const obeyed = Number(record.epoch) >= facts.epoch;
    must('I6', refused || obeyed, `${host} obeys epoch ${record.epoch} after ${facts.epoch}`);
    if (!refused) facts.epoch = Number(record.epoch);
    if (record.control === 'fence') this.#lost.fenced(host, record, facts.intents.values());
    facts.known.add(String(record.id));
    for (const id of Array.isArray(record.withdrawn) ? record.withdrawn : []) facts.known.add(String(id));
  }
}
