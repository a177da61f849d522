import type { StatusData } from '@signalbox/protocol';
import type { Effect } from '@signalbox/sequencer';
import type { EffectContext } from './effect-context.ts';

type PageEffect = Extract<Effect, { type: 'page' }>;
export type Page = StatusData<'dev.signalbox.page'>;

const REPEAT_MS = 60_000;

/** Pages until the reason is gone or somebody acknowledges: a held run that nobody looks at is an outage. */
export class Pager {
  readonly #context: EffectContext;
  readonly #pages = new Map<string, () => void>();
  /** Where a page goes: status events and webhooks. Set by whoever wires the run. */
  onPage: (page: Page) => void = () => {};
  repeatMs = REPEAT_MS;

  constructor(context: EffectContext) {
    this.#context = context;
  }

  reconcile(effects: readonly Effect[]): void {
    const wanted = effects.filter((effect) => effect.type === 'page');
    const keys = new Set(wanted.map((page) => page.key));
    for (const [key, cancel] of this.#pages) {
      if (keys.has(key)) continue;
      cancel();
      this.#pages.delete(key);
    }
    for (const page of wanted) if (!this.#pages.has(page.key)) this.#send(page, 0);
  }

  /** A page for something that has happened and does not go on. */
  once(page: Omit<Page, 'run' | 'repeat'>): void {
    this.onPage({ ...page, run: this.#context.state().run, repeat: 0 });
  }

  #send(page: PageEffect, repeat: number): void {
    const { run } = this.#context.state();
    const { why, message, key } = page;
    // Whoever is woken by a hold wants the whole screen, with this run's name in each command.
    const next = why === 'held' ? `signalbox status ${run} --why` : page.next;
    this.#pages.set(
      key,
      this.#context.ports.clock.after(this.repeatMs, () => this.#send(page, repeat + 1)),
    );
    this.onPage({ run, why, message, next, repeat });
  }
}
