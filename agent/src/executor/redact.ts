const REPLACEMENT = '[secret]';
/** A line of a longer secret (a key file) is one by itself from this length on; shorter ones are often ordinary words. */
const LINE_CHARS = 8;

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
      const shapes = [value, ...lines].flatMap((text) => [
        text,
        encodeURIComponent(text),
        JSON.stringify(text).slice(1, -1),
        Buffer.from(text).toString('base64'),
      ]);
      const all = new Set([...forms, ...shapes.filter((text) => text !== '')]);
      forms = [...all].sort((a, b) => b.length - a.length);
    },
    get forms() {
      return forms;
    },
  };
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
