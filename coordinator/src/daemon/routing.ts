import { SignalboxError } from '@signalbox/protocol';
import { z } from 'zod';
import { coordinatorError } from './codes.ts';
import type { Member, Members } from './members.ts';
import { parseJson } from './parse-json.ts';
import type { Ports } from './ports.ts';

/** What is known of a request before anything of it is believed. */
export interface Asked {
  readonly verb: string;
  /** The run that it is about, when it is about one. */
  readonly run?: string | undefined;
}

const Question = z.object({ verb: z.string(), run: z.string().optional() });
const [YES, NO] = ['yes', 'no'];

/** How long whoever has to answer gets to say so, before the next in line steps in. */
const SIGN_OF_LIFE_MS = 1_000;

/** What anybody can answer from the log, also while nobody leads. */
const FROM_THE_LOG: ReadonlySet<string> = new Set(['log', 'output']);

/**
 * Who answers an operator's request. Every coordinator hears every request, so that one that hangs withholds none. Each
 * knows whose it is: of a run its leader's, a start whoever leads the fewest, the rest the first by id. The next in line
 * asks that one whether it answers, and steps in when it does not: it may be gone, or know that it is not its turn.
 */
export class Routing {
  readonly #ports: Ports;
  readonly #members: Members;

  constructor(ports: Ports, members: Members) {
    this.#ports = ports;
    this.#members = members;
  }

  /** Answers coordinators that are next in line. @throws what the bus throws. */
  async serve(): Promise<void> {
    await this.#ports.bus.servePeer(this.#members.id, async (question) => {
      const parsed = Question.safeParse(parseJson(question));
      return Buffer.from(parsed.success && this.#isFirst(parsed.data) ? YES : NO);
    });
  }

  /**
   * Whether this coordinator answers.
   * @throws SB-COORD-NOT-LED when it is the next in line and finds the leader of the run gone.
   */
  async isMine(asked: Asked): Promise<boolean> {
    if (this.#isFirst(asked)) return true;
    const [first, second] = this.#inLine(asked);
    if (first === undefined || second?.id !== this.#members.id) return false;
    const says = await this.#ask(first, asked);
    if (says === 'mine') return false;
    const isLeader = asked.run !== undefined && this.#members.leaderOf(asked.run)?.id === first.id;
    if (!isLeader || says === 'not mine' || FROM_THE_LOG.has(asked.verb)) return true;
    // It may carry it out yet: whoever asked waits for it.
    if (says === 'nothing') return false;
    const soon = `within ${Math.ceil(this.#members.leaseMs / 1_000) + 1} s`;
    throw coordinatorError(
      'SB-COORD-NOT-LED',
      `${first.name} led ${asked.run} and is gone; another takes over ${soon}`,
    );
  }

  #isFirst(asked: Asked): boolean {
    if (asked.run !== undefined && this.#members.holds(asked.run)) return true;
    return this.#inLine(asked)[0]?.id === this.#members.id;
  }

  #inLine({ verb, run }: Asked): Member[] {
    const leader = run === undefined ? undefined : this.#members.leaderOf(run);
    const weight = (member: Member) => (verb === 'start' ? member.runs.length : 0);
    const others = this.#members.live().filter(({ id }) => id !== leader?.id);
    const sorted = others.toSorted((a, b) => weight(a) - weight(b) || (a.id < b.id ? -1 : 1));
    return leader ? [leader, ...sorted] : sorted;
  }

  async #ask({ id }: Member, asked: Asked): Promise<'mine' | 'not mine' | 'gone' | 'nothing'> {
    try {
      const answer = await this.#ports.bus.askPeer(id, Buffer.from(JSON.stringify(asked)), SIGN_OF_LIFE_MS);
      if (answer === undefined) return 'gone';
      return Buffer.from(answer).toString() === YES ? 'mine' : 'not mine';
    } catch (error) {
      if (error instanceof SignalboxError) return 'nothing';
      throw error;
    }
  }
}
