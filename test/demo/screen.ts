import type { WriteStream } from 'node:tty';
import { type Paint, paintFor } from './paint.ts';

const CLEAR_LINE = '\r\u001b[2K';
const REFRESH_MS = 250;
const FOOTER_WIDTH = 80;

/**
 * A story that scrolls, and on a terminal one line below it that lives. Everything that the demo prints goes through
 * here, so that the two never write into each other.
 */
export class Screen {
  readonly paint: Paint;
  readonly #stream: WriteStream;
  readonly #startedAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #footer: string | undefined;

  constructor(stream: WriteStream) {
    this.#stream = stream;
    this.paint = paintFor(stream);
  }

  heading(title: string, subtitle: string): void {
    const { bold, dim } = this.paint;
    this.print('', `${bold(title)}  ${dim(subtitle)}`, dim('─'.repeat(Math.min(100, this.#width))));
  }

  /** A line of the story, with the demo's own clock before it. */
  tell(line: string): void {
    const seconds = (performance.now() - this.#startedAtMs) / 1000;
    this.print(`${this.paint.dim(`${seconds.toFixed(1).padStart(5)}s`)}  ${line}`);
  }

  print(...lines: string[]): void {
    const text = lines.map((line) => `${line}\n`).join('');
    this.#stream.write(this.#footer === undefined ? text : `${CLEAR_LINE}${text}${this.#footer}`);
  }

  /** Shows what `look` says in the living line until `hideFooter`. Nothing where it would not fit, or is no terminal. */
  showFooter(look: () => string): void {
    if (!this.#stream.isTTY || this.#width < FOOTER_WIDTH) return;
    const draw = () => {
      this.#footer = look();
      this.#stream.write(`${CLEAR_LINE}${this.#footer}`);
    };
    draw();
    this.#timer = setInterval(draw, REFRESH_MS);
  }

  hideFooter(): void {
    clearInterval(this.#timer);
    if (this.#footer !== undefined) this.#stream.write(CLEAR_LINE);
    this.#footer = undefined;
  }

  get #width(): number {
    // A pseudo-terminal that nobody has sized says 0.
    return this.#stream.columns || 100;
  }
}
