/** What of a program's words may leave the host [I9]: one line, short, without what looks like a password. */
export function masked(line: string): string {
  return line
    .slice(0, 500)
    .replace(/:\/\/[^/@\s]*:[^/@\s]+@/g, '://***@')
    .replace(
      /\b(\w*(?:password|passwd|secret|token|mnemonic|api_?key)\w*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|\S+)/gi,
      '$1***',
    );
}
