/** `*` stands for any text within one part; nothing else has a meaning of its own. `parts`: what `*` does not go across. */
export function glob(pattern: string, parts: '/' | undefined = undefined): (text: string) => boolean {
  const any = parts === undefined ? '.*' : `[^${parts}]*`;
  const source = pattern.split('*').map(literal).join(any);
  const whole = new RegExp(`^${source}$`, 's');
  return (text) => whole.test(text);
}

/** As `glob`, where `*` stays within one folder; `/**` at the end stands for the folder and all that is below it. */
export function pathGlob(pattern: string): (path: string) => boolean {
  if (!pattern.endsWith('/**')) return glob(pattern, '/');
  const folder = pattern.slice(0, -'/**'.length);
  const within = new RegExp(`^${folder.split('*').map(literal).join('[^/]*')}(/.*)?$`, 's');
  return (path) => within.test(path);
}

/** Word by word; `**` as the last word stands for any further words, also none. */
export function argvGlob(words: readonly string[]): (argv: readonly string[]) => boolean {
  const open = words.at(-1) === '**';
  const fixed = (open ? words.slice(0, -1) : words).map((word) => glob(word));
  return (argv) =>
    (open ? argv.length >= fixed.length : argv.length === fixed.length) &&
    fixed.every((matches, i) => matches(argv[i] ?? ''));
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Of references: as `pathGlob` for `file:/path`, else as `glob`. */
export function secretGlob(pattern: string): (ref: string) => boolean {
  if (!pattern.startsWith(FILE)) return glob(pattern);
  const within = pathGlob(pattern.slice(FILE.length));
  return (ref) => ref.startsWith(FILE) && within(ref.slice(FILE.length));
}

const FILE = 'file:';
