/** `aws:ID`, or `aws:ID#KEY` for one field of a secret that is a JSON object. */
export interface AwsReference {
  id: string;
  key: string | undefined;
}

export function readAwsReference(ref: string): AwsReference | undefined {
  const [, id, key] = /^aws:([^#]+)(?:#(.+))?$/.exec(ref) ?? [];
  return id === undefined ? undefined : { id, key };
}
