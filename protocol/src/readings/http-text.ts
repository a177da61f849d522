/** More than any page, script or list of metrics that is asked for; an agent has not much more memory than a few of them. */
const MAX_BYTES = 8_000_000;

export class AnswerTooLong extends Error {
  override readonly name = 'AnswerTooLong';
}

/**
 * The text of an answer, unpacked as it is read: whoever is asked may send without an end, or a few bytes that become many.
 * @throws AnswerTooLong
 */
export async function textOf(response: Response, maxBytes = MAX_BYTES): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > maxBytes) throw new AnswerTooLong(`over ${maxBytes} bytes`);
    parts.push(part);
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}
