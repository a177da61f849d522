import type {
  Actor,
  Condition,
  Failure,
  Json,
  JsonObject,
  OutcomeReport,
  SignedApproval,
  SignedStart,
  VoteEvidence,
} from '@signalbox/protocol';

/** Time and chance come from outside: the core has neither. */
export interface Now {
  /** Wall clock, epoch milliseconds: for people, `notBefore` and `notAfter`. */
  readonly atMs: number;
  /** Run time, which only the leader's monotonic clock moves: for timeouts and windows. */
  readonly runMs: number;
  /** In [0, 1): jitter of retries. */
  readonly random: number;
}

export interface OfTry {
  readonly step: string;
  readonly host: string;
  readonly direction: 'do' | 'undo';
  readonly attempt: number;
}

type Values = Record<string, Json>;
/** The message that this was read from, as its host signed it. */
type FromHost = { readonly sealed?: string };
type OnStep = { readonly step: string; readonly host: string | undefined; readonly by: Actor; readonly note: string };

export type Input =
  | {
      readonly type: 'create';
      readonly by: Actor;
      readonly planHash: string;
      readonly start?: string;
      readonly signed?: SignedStart;
      readonly note?: string;
      readonly accepted?: string[];
    }
  | { readonly type: 'lead'; readonly coordinator: string; readonly epoch: number; readonly nonce: string }
  // From agents.
  | ({ readonly type: 'accepted'; readonly before: JsonObject | undefined } & OfTry & FromHost)
  | ({ readonly type: 'outcome'; readonly outcome: OutcomeReport['outcome']; readonly durationMs: number } & OfTry &
      FromHost)
  | ({ readonly type: 'refused'; readonly failure: Failure } & OfTry)
  | { readonly type: 'withdrawn'; readonly commands: readonly string[] }
  | { readonly type: 'silent'; readonly host: string; readonly lastSeenAtMs: number | undefined }
  | { readonly type: 'back'; readonly host: string }
  | {
      readonly type: 'voted';
      readonly step: string;
      readonly host: string;
      readonly round: number;
      readonly roundNonce: string;
      readonly vote: 'yes' | 'no';
      readonly journalSequence: number;
      readonly evidence: VoteEvidence[];
      readonly why?: string;
    }
  /** The host's journal has what this log does not: `what` of it. */
  | { readonly type: 'contradicted'; readonly host: string; readonly what: string }
  // From samples. `watch`: the key of the watch that the answer is from; an answer to an earlier question is nothing.
  | ({
      readonly type: 'gateMet';
      readonly step: string;
      readonly host: string;
      readonly values: Values;
      readonly heldMs: number;
      readonly watch?: string;
    } & FromHost)
  | {
      readonly type: 'gateFailed';
      readonly step: string;
      readonly host: string;
      readonly values: Values;
      readonly why: string;
      readonly kind: 'failIf' | 'once';
      readonly watch?: string;
    }
  | ({
      readonly type: 'fenceBroke';
      readonly step: string;
      readonly host: string;
      readonly values: Values;
      readonly why: string;
      /** No sample could be taken: `why` says for how long, and with what the last one failed. */
      readonly unseen?: true;
      readonly watch?: string;
    } & FromHost)
  | ({
      readonly type: 'recorded';
      readonly step: string;
      readonly host: string;
      readonly values: Values;
      readonly watch?: string;
    } & FromHost)
  | { readonly type: 'proven'; readonly step: string; readonly host: string; readonly watch?: string }
  // From time.
  | { readonly type: 'tick' }
  // From people.
  | {
      readonly type: 'approve';
      readonly step: string;
      readonly by: Actor;
      readonly note: string | undefined;
      readonly signed?: SignedApproval | undefined;
    }
  | { readonly type: 'reject'; readonly step: string; readonly by: Actor; readonly note: string }
  | { readonly type: 'confirm'; readonly step: string; readonly by: Actor; readonly note: string }
  | { readonly type: 'pause'; readonly by: Actor; readonly note: string | undefined }
  | { readonly type: 'resume'; readonly by: Actor; readonly note: string | undefined }
  | ({ readonly type: 'retry' } & OnStep)
  | ({ readonly type: 'skip' } & OnStep)
  | ({ readonly type: 'resolve'; readonly as: 'succeeded' | 'not-done' } & OnStep)
  | { readonly type: 'drop'; readonly host: string; readonly by: Actor; readonly note: string }
  | {
      readonly type: 'abort';
      readonly mode: 'undo' | 'leave';
      /** With `undo`: the last step that stays. */
      readonly to?: string | undefined;
      readonly by: Actor;
      readonly note: string;
    }
  | {
      readonly type: 'adjust';
      readonly step: string;
      readonly timeoutMs?: number | undefined;
      /** On top of what each gate has now. */
      readonly addTimeoutMs?: number | undefined;
      readonly until?: Condition | undefined;
      readonly by: Actor;
      readonly note: string;
    }
  | { readonly type: 'note'; readonly by: Actor; readonly text: string }
  | { readonly type: 'take'; readonly by: Actor }
  | { readonly type: 'acknowledge'; readonly by: Actor };
