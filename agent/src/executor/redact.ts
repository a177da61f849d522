const REPLACEMENT = '[secret]';
/** A line of a longer secret (a key file) is one by itself from this length on; shorter ones are often ordinary words. */
const LINE_CHARS = 8;

/** Of how many characters a line of base64 is: as `base64` writes it, and as PEM has it. */
const WRAPPED_CHARS = [76, 64];

/** The values of secrets that this agent has read, and the forms in which programs print them. Only grows. */
export interface SecretValues {
  add(value: string): void;
  /** Longest first, so that a secret which contains another one is replaced as a whole. */
  readonly forms: readonly string[];
}

export function createSecretValues(): SecretValues {
  let forms: string[] = [];
  return {
    add(value) {
      const lines = value.split(/\r?\n/).filter((line) => line.length >= LINE_CHARS);
      const shapes = [value, ...lines].flatMap((text) => [text, JSON.stringify(text).slice(1, -1), ...encoded(text)]);
      const all = new Set([...forms, ...shapes.filter((text) => text !== '')]);
      forms = [...all].sort((a, b) => b.length - a.length);
    },
    get forms() {
      return forms;
    },
  };
}

function encoded(text: string): string[] {
  return [...urlEncoded(text), Buffer.from(text).toString('base64'), ...insideBase64(text)];
}

/** As browsers, forms, RFC 3986 and Python's `quote` do it, with small and with capital digits. */
function urlEncoded(text: string): string[] {
  const plain = encodeURIComponent(Buffer.from(text).toString());
  const strict = plain.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams({ _: text }).toString().slice(2);
  const all = [plain, strict, form, strict.replaceAll('%20', '+'), strict.replaceAll('%2F', '/')];
  return [...all, ...all.map((one) => one.replaceAll(/%../g, (byte) => byte.toLowerCase()))];
}

/**
 * What is the same in base64 whatever stands before and behind it, as in `Authorization: Basic`, for each of the three places where it can begin
 * in a group; also in the alphabet for URLs, and in lines.
 */
function insideBase64(text: string): string[] {
  const inside = [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    const known = bytes.toString('base64').slice(0, Math.floor((bytes.length * 8) / 6));
    return known.slice(Math.ceil((before * 8) / 6));
  });
  const [whole = ''] = inside;
  const lines = WRAPPED_CHARS.flatMap((chars) => whole.match(new RegExp(`.{1,${chars}}`, 'g')) ?? []);
  const long = [...inside, ...lines].filter((part) => part.length >= LINE_CHARS);
  return [...long, ...long.map((part) => part.replaceAll('+', '-').replaceAll('/', '_'))];
}

export function redactText(text: string, { forms }: SecretValues): string {
  return forms.reduce((left, form) => left.replaceAll(form, REPLACEMENT), text);
}

/** Redacts every string inside a value of JSON's kinds, keys included; its shape stays the same. */
export function redactJson<T>(value: T, secrets: SecretValues): T {
  if (secrets.forms.length === 0) return value;
  return redactValue(value, secrets) as T;
}

function redactValue(value: unknown, secrets: SecretValues): unknown {
  if (typeof value === 'string') return redactText(value, secrets);
  if (Array.isArray(value)) return value.map((inner) => redactValue(inner, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [redactText(key, secrets), redactValue(inner, secrets)]),
  );
}

/** Redacts text that comes in pieces. */
export interface StreamRedactor {
  /** What may leave the host now; the end is held back as long as it could be the beginning of a secret. */
  write(text: string): string;
  /** Gives up what is held back: no more is coming. */
  end(): string;
}

export function createStreamRedactor(secrets: SecretValues): StreamRedactor {
  let held = '';
  return {
    write(text) {
      const whole = redactText(held + text, secrets);
      const keep = secrets.forms.reduce((most, form) => Math.max(most, overlap(whole, form)), 0);
      held = keep === 0 ? '' : whole.slice(-keep);
      return whole.slice(0, whole.length - keep);
    },
    end() {
      const rest = held;
      held = '';
      return rest;
    },
  };
}

/** How much of the end of `text` is a beginning of `form`, but not all of it. */
function overlap(text: string, form: string): number {
  for (let length = Math.min(text.length, form.length - 1); length > 0; length--) {
    if (form.startsWith(text.slice(-length))) return length;
  }
  return 0;
}
