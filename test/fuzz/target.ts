import { SignalboxError } from '@signalbox/protocol';

/** Something that takes bytes from afar. */
export interface Target {
  readonly name: string;
  readonly corpus: readonly Uint8Array[];
  /** @returns why what it did with these bytes is a finding; undefined: it refused them, or took them for what they are. */
  readonly feed: (data: Buffer) => string | undefined;
}

/** Refusing is right; breaking with an error that nobody has thought of is not. */
export function refusing(work: () => string | undefined): string | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof SignalboxError) return undefined;
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
