/**
 * Text from hosts, probes and people may hold terminal escapes: a log line could move the cursor, change the title or
 * hide what was printed before it. Everything that comes from afar goes through here before it reaches a terminal.
 * Control characters are shown (`\x1b`), and so are the marks that turn the writing direction around.
 */
export function safeText(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** As safeText, but line ends and tabs stay: for blocks of output. */
export function safeBlock(text: string): string {
  return text
    .replace(/\r\n/g, '\n')
    .split('\n')
    .map((line) => line.replace(UNSAFE, (c) => (c === '\t' ? c : escaped(c))))
    .join('\n');
}

const UNSAFE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f]/gu;

function escaped(char: string): string {
  if (char === '\n') return '\\n';
  if (char === '\t') return '\\t';
  if (char === '\r') return '\\r';
  const code = char.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
}
