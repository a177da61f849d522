/** Kafka's own encoding of the protocol's versions before KIP-482: big-endian, lengths in front. */
export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

export const bool = (value: boolean): Buffer => Buffer.from([value ? 1 : 0]);

export const string = (value: string): Buffer => {
  const text = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeInt16BE(text.length);
  return Buffer.concat([length, text]);
};

export const strings = (values: readonly string[]): Buffer =>
  Buffer.concat([int32(values.length), ...values.map(string)]);

/** Reads on from where it stands. @throws RangeError at the end of the answer */
export class Answer {
  #at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  bool(): boolean {
    return this.#bytes.readInt8(this.#move(1)) !== 0;
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#move(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#move(4));
  }

  /** Empty where the protocol has none. */
  string(): string {
    const length = Math.max(0, this.int16());
    const from = this.#move(length);
    return this.#bytes.toString('utf8', from, from + length);
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read);
  }

  #move(by: number): number {
    const from = this.#at;
    this.#at += by;
    return from;
  }
}
