import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSecretValues, createStreamRedactor, redactJson, redactText } from './redact.ts';

function secretsOf(...values: string[]) {
  const secrets = createSecretValues();
  for (const value of values) secrets.add(value);
  return secrets;
}

describe('[I9] a secret', () => {
  const secrets = secretsOf('p@ss/w"rd', 'first-line-of-key\nsecond-line-of-key\nend');

  it.each([
    'p@ss/w"rd',
    encodeURIComponent('p@ss/w"rd'),
    JSON.stringify({ password: 'p@ss/w"rd' }),
    encodeURIComponent('p@ss/w"rd').toLowerCase(),
    'p%40ss/w%22rd',
    Buffer.from('p@ss/w"rd').toString('base64'),
    Buffer.from('p@ss/w"rd\n').toString('base64'),
    'first-line-of-key\nsecond-line-of-key\nend',
    'only second-line-of-key of it',
  ])('is replaced in the form %j', (text) => {
    const redacted = redactText(text, secrets);
    expect(redacted).toContain('[secret]');
    for (const form of secrets.forms) expect(redacted).not.toContain(form);
  });

  it.each(['', 'u', 'u:', 'me:'])('is nowhere in what has been written in base64 with %j before it', (before) => {
    const both = secretsOf('p@ss/w"rd', '?>?>?>~~~');
    for (const value of ['p@ss/w"rd', '?>?>?>~~~']) {
      for (const encoding of ['base64', 'base64url'] as const) {
        for (const after of ['', '\n', ':x']) {
          const text = Buffer.from(`${before}${value}${after}`).toString(encoding);
          const left = redactText(`Authorization: Basic ${text}`, both).split('Basic ')[1] ?? '';
          // What stays belongs to what stands beside it, but for a few bits of the last byte.
          const said = left.split('[secret]').map((part) => Buffer.from(part, 'base64').toString('latin1'));
          expect(said.join('|'), text).not.toMatch(/p@|ss|rd|\?>|~~/);
          expect(left, text).toContain('[secret]');
        }
      }
    }
  });

  it('is nowhere in the lines that base64 breaks a key into', () => {
    const key = 'MIIEvQIBADANBgkqhkiG9w0BAQ'.repeat(9);
    const lines = (chars: number) =>
      Buffer.from(`${key}\n`)
        .toString('base64')
        .replaceAll(new RegExp(`.{${chars}}`, 'g'), '$&\n');
    for (const chars of [64, 76]) {
      const left = redactText(lines(chars), secretsOf(key)).replaceAll('[secret]', '');
      expect(left.replaceAll('\n', '').length).toBeLessThan(5);
    }
  });

  it('is replaced in base64 and URL-encoded wherever the stream is cut', () => {
    const value = 'p@ss/w"rd';
    const texts = [
      encodeURIComponent(value),
      Buffer.from(value).toString('base64'),
      Buffer.from(`u:${value}`).toString('base64'),
    ];
    for (const text of texts) {
      for (let cut = 0; cut <= text.length; cut++) {
        const redactor = createStreamRedactor(secretsOf(value));
        const out = redactor.write(`x ${text.slice(0, cut)}`) + redactor.write(`${text.slice(cut)} y`) + redactor.end();
        expect(out, `${text} cut at ${cut}`).toBe(redactText(`x ${text} y`, secretsOf(value)));
      }
    }
  });

  it('is replaced anywhere in a receipt, in keys too', () => {
    const receipt = { url: ['mongodb://u:p@ss/w"rd@h'], 'p@ss/w"rd': { deep: 'p@ss/w"rd', n: 1, none: null } };
    expect(redactJson(receipt, secrets)).toEqual({
      url: ['mongodb://u:[secret]@h'],
      '[secret]': { deep: '[secret]', n: 1, none: null },
    });
  });

  it('is replaced in a stream wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('hunter2', 'hunter2hunter22', 'hun', 'ter2', 'x', '\n', ' '), { maxLength: 12 }),
        fc.array(fc.nat(60), { maxLength: 6 }),
        (words, cuts) => {
          const text = words.join('');
          const known = secretsOf('hunter2', 'ter2hun');
          const redactor = createStreamRedactor(known);
          const places = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
          const pieces = places.slice(1).map((end, i) => text.slice(places[i], end));
          const out = pieces.map((piece) => redactor.write(piece)).join('') + redactor.end();
          for (const form of known.forms) expect(out).not.toContain(form);
        },
      ),
    );
  });

  it('holds nothing back that cannot be the beginning of one', () => {
    const redactor = createStreamRedactor(secretsOf('hunter2'));
    expect(redactor.write('ready> ')).toBe('ready> ');
    expect(redactor.write('say hun')).toBe('say ');
    expect(redactor.write('ger')).toBe('hunger');
    expect(redactor.write('hunt')).toBe('');
    expect(redactor.end()).toBe('hunt');
  });
});
