/** C0, DEL, C1 and the two line separators: what a terminal obeys. */
const CONTROL = /[\p{Cc}\u2028\u2029]/gu;

/** Writes control characters out (`\\u001b`), for text from programs and messages that goes to a terminal. */
export function escapeControl(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
