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
    Buffer.from('p@ss/w"rd').toString('base64'),
    'first-line-of-key\nsecond-line-of-key\nend',
    'only second-line-of-key of it',
  ])('is replaced in the form %j', (text) => {
    const redacted = redactText(text, secrets);
    expect(redacted).toContain('[secret]');
    for (const form of secrets.forms) expect(redacted).not.toContain(form);
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
