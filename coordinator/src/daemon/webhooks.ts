import type { CloudEvent } from '@signalbox/protocol';
import type { Logger } from 'pino';

const TIMEOUT_MS = 5_000;

/** Posts a page to every webhook. One that fails is logged without its query string, which may hold a token [I9]. */
export function postPage(urls: readonly string[], event: CloudEvent<'dev.signalbox.page'>, log: Logger): void {
  for (const url of urls) {
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify(event),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
      .then((response) => {
        if (!response.ok) throw new Error(`it answered ${response.status}`);
      })
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        log.warn({ webhook: new URL(url).origin, why }, 'a page was not delivered');
      });
  }
}
