import { MeshName, RunId } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { z } from 'zod';

/** A run as one file: the exact texts that were written when it happened, and what a coordinator says that they are. */
export type Bundle = z.infer<typeof Bundle>;
export const Bundle = z.strictObject({
  v: z.literal(1),
  /** A sealed `Attestation`. */
  seal: z.string(),
  plan: z.string(),
  /** Entries of the run log, each naming the hash of the one before it. */
  entries: z.array(z.string()),
  /** What hosts have reported, sealed by each. */
  reports: z.array(z.string()),
  /** What steps have printed. */
  outputs: z.array(z.string()),
});

const Part = z.strictObject({ count: z.int().min(0), sha256: z.string() });

export type Attestation = z.infer<typeof Attestation>;
export const Attestation = z.strictObject({
  mesh: MeshName,
  run: RunId,
  coordinator: z.string(),
  atMs: z.int(),
  plan: z.string(),
  entries: Part,
  reports: Part,
  outputs: Part,
});

export type Contents = Pick<Bundle, 'plan' | 'entries' | 'reports' | 'outputs'>;

/** What is attested of the contents: every byte of them is in one of the hashes. */
export function hashesOf({
  plan,
  entries,
  reports,
  outputs,
}: Contents): Omit<Attestation, 'mesh' | 'run' | 'coordinator' | 'atMs'> {
  return { plan: sha256(plan), entries: partOf(entries), reports: partOf(reports), outputs: partOf(outputs) };
}

function partOf(texts: readonly string[]) {
  return { count: texts.length, sha256: sha256(JSON.stringify(texts)) };
}

/** The one text that a bundle may have: another with the same meaning is a changed one. */
export function textOf({ v, seal, plan, entries, reports, outputs }: Bundle): string {
  return `${JSON.stringify({ v, seal, plan, entries, reports, outputs })}\n`;
}
