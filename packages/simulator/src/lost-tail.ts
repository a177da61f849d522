import type { Command, LogEntry, RunEvent } from '@signalbox/protocol';
import type { RunState } from '@signalbox/sequencer';
import { must } from './broken.ts';
import type { StoredLog } from './stored-log.ts';

/** A fence as a host has it on its disk. */
export interface FenceRecord {
  readonly nonce?: unknown;
  readonly failure?: unknown;
  readonly seen?: { readonly head: { readonly sequence: number; readonly hash: string } };
}

/**
 * What NATS's storage has lost of the log, and who still knows of it [I8]. Forgiven is what is gone, and nothing else: a
 * host that knows more than the log is heard and the run is held for it before anything more begins there.
 */
export class LostTail {
  readonly #log: StoredLog;
  #lost = false;
  /** Commands that the log has asked for and does not have any more. */
  readonly #ids = new Set<string>();
  readonly #notes = new Set<string>();
  /** Of the leaders that have read what is left. */
  readonly #nonces = new Set<string>();
  /** Hosts that have told such a leader what is not in its log. */
  readonly #contradicted = new Map<string, string>();
  /** Hosts for which the run was held. */
  readonly #named = new Set<string>();

  constructor(log: StoredLog) {
    this.#log = log;
  }

  /** Storage is put back: these entries are gone. */
  lost(entries: readonly LogEntry[]): void {
    this.#lost = true;
    for (const event of entries.flatMap(({ events }) => events)) {
      if (event.type === 'StepStarted' && event.work.kind === 'command') this.#ids.add(event.work.id);
      else if (event.type === 'NoteAdded') this.#notes.add(event.text);
    }
  }

  /** Asked for by an entry that is gone: its command may still be on its way. */
  hasAsked(id: string): boolean {
    return this.#ids.has(id);
  }

  hasNote(text: string): boolean {
    return this.#notes.has(text);
  }

  /** What the log says of this step on this host may be what was true before the host did what is gone from the log. */
  hasMoved(step: string, intents: Iterable<Command>): boolean {
    return [...intents].some((command) => command.step === step && this.#ids.has(command.id));
  }

  /** People were told that this host has done what the log does not know of, and of this step it has. */
  wasNamed(host: string, step: string, intents: Iterable<Command>): boolean {
    return this.#named.has(host) && this.hasMoved(step, intents);
  }

  appended(event: RunEvent): void {
    if (this.#lost && event.type === 'Led') this.#nonces.add(event.nonce);
  }

  /** After an entry. */
  holds({ reasons }: RunState): void {
    if (!this.#lost) return;
    for (const { host, failure } of reasons) if (failure.code === 'SB-RUN-CONTRADICTED' && host) this.#named.add(host);
  }

  /** A host has on its disk that it obeys a leader, and what it has told it. */
  fenced(host: string, { nonce, failure, seen }: FenceRecord, intents: Iterable<Command>): void {
    if (failure !== undefined || !this.#nonces.has(String(nonce))) return;
    const strange = [...intents].find((command) => this.#isStrange(command));
    const head = seen && seen.head.sequence > 0 && !this.#log.has(seen.head.hash) ? seen.head : undefined;
    if (strange !== undefined) this.#contradicted.set(host, strange.id);
    else if (head !== undefined) this.#contradicted.set(host, `entry ${head.sequence}`);
  }

  /** Of a leader before the loss, and gone from the log, though the same may have been decided again since. */
  #isStrange({ id, nonce }: Command): boolean {
    return !this.#nonces.has(nonce) && (this.#ids.has(id) || !this.#log.ids.has(id));
  }

  /** A command of the log as it is now is on its host's disk. */
  begins(host: string, { id, nonce }: Command): void {
    if (!this.#nonces.has(nonce)) return;
    const known = this.#contradicted.get(host);
    const named = known === undefined || this.#named.has(host);
    must('I8', named, `${id} begins on ${host}, which knows of ${known}, and the run was not held for it`);
  }

  /** After a calm time. */
  ended(): void {
    for (const [host, known] of this.#contradicted)
      must('I8', this.#named.has(host), `${host} knows of ${known}, and the run was never held for it`);
  }
}
