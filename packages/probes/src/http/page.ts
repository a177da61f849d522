import { parseDuration } from '@signalbox/protocol';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { get, Timeout, Url } from '../support/get.ts';

const With = z.strictObject({
  url: Url,
  contains: z.array(z.string().min(1)).default([]).describe('Texts that must be in the page or in one of its scripts.'),
  absent: z.array(z.string().min(1)).default([]).describe('Texts that must be in none of them.'),
  timeout: Timeout.describe('How long each answer may take.'),
});

/** A page has some dozens of scripts; one that names more is not asked for all. */
const SCRIPTS = 100;

export const httpPage = defineProbe<z.infer<typeof With>>({
  name: 'http.page',
  version: 1,
  summary:
    'A page as browsers get it, with the scripts that it names on the same server: which texts are in it, and which are not.',
  schema: With,
  values: {
    status: { type: 'number', help: 'status of the page; absent values follow when it is not 200' },
    scripts: { type: 'number', help: 'scripts that the page names and that were read' },
    brokenScripts: { type: 'number', help: 'scripts that the page names and that are not served' },
    missing: { type: 'number', help: 'how many of `contains` are nowhere' },
    missingTexts: { type: 'string', help: 'them, with a comma between' },
    stale: { type: 'number', help: 'how many of `absent` are somewhere' },
    staleTexts: { type: 'string', help: 'them, with a comma between' },
  },

  async sample(context, { url, contains, absent, timeout }) {
    const timeoutMs = parseDuration(timeout) ?? 5_000;
    const page = await get(context, url, { timeoutMs });
    if (page.status !== 200) return { status: page.status };
    const answers = await Promise.all(scriptsOf(page.text, url).map((script) => get(context, script, { timeoutMs })));
    const read = answers.filter(({ status }) => status === 200);
    const texts = [page.text, ...read.map(({ text }) => text)];
    const somewhere = (wanted: string) => forms(wanted).some((form) => texts.some((text) => text.includes(form)));
    const missing = contains.filter((text) => !somewhere(text));
    const stale = absent.filter(somewhere);
    return {
      status: page.status,
      scripts: read.length,
      brokenScripts: answers.length - read.length,
      missing: missing.length,
      missingTexts: missing.join(','),
      stale: stale.length,
      staleTexts: stale.join(','),
    };
  },
});

/** A text as it is, and as JSON within HTML or a script may write it. */
function forms(text: string): string[] {
  return [
    ...new Set([text, text.replaceAll('/', '\\/'), text.replaceAll('/', '\\u002F'), text.replaceAll('&', '&amp;')]),
  ];
}

/** Scripts of the same server, named in the page by a tag or a preload. */
function scriptsOf(html: string, page: string): string[] {
  const { origin } = new URL(page);
  const named = [
    ...html.matchAll(/<(?:script|link)\b[^>]*?\b(?:src|href)\s*=\s*["']([^"']+\.m?js(?:\?[^"']*)?)["']/gi),
  ];
  const urls = named.flatMap(([, path = '']) => {
    const url = URL.canParse(path, page) ? new URL(path, page) : undefined;
    return url?.origin === origin ? [url.href] : [];
  });
  return [...new Set(urls)].slice(0, SCRIPTS);
}
