import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** Why AWS Secrets Manager did not do what was asked, without a word of what a secret holds. */
export type StoreProblem = { kind: 'missing' | 'refused' | 'unreachable'; name: string };

export class StoreError extends Error {
  readonly problem: StoreProblem;
  constructor(problem: StoreProblem) {
    super(`AWS Secrets Manager: ${problem.name}`);
    this.problem = problem;
  }
}

/** One version of a secret. */
export interface StoredSecret {
  value: string;
  versionId: string;
}

/** What Signalbox asks of a store of secrets. All of it throws StoreError. */
export interface SecretStore {
  /** The current version; undefined when there is no such secret. */
  read(id: string): Promise<StoredSecret | undefined>;
  /**
   * Makes this the current version, with a version id that the caller chose: said twice, it is done once.
   * @param existed whether the secret was there before.
   */
  write(id: string, secret: StoredSecret & { existed: boolean }): Promise<void>;
  /** Makes an earlier version the current one again. */
  goBack(id: string, versions: { from: string; to: string }): Promise<void>;
  /** At once and for good; for a secret that was made a moment ago. */
  remove(id: string): Promise<void>;
}

/** A question of a gate comes again; one that hangs would hold up the next. */
const CONNECT_WITHIN_MS = 3_000;
const ANSWER_WITHIN_MS = 10_000;

/** Resolves with what `work` does. The connection ends with it. */
export async function withSecretStore<T>(work: (store: SecretStore) => Promise<T>): Promise<T> {
  const aws = await import('@aws-sdk/client-secrets-manager');
  const client = new aws.SecretsManagerClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: CONNECT_WITHIN_MS, requestTimeout: ANSWER_WITHIN_MS },
  });
  const ask = <R>(question: () => Promise<R>) =>
    question().catch((error: unknown) => {
      throw new StoreError(problemOf(error));
    });
  try {
    return await work({
      read: async (id) => {
        const current = { SecretId: id, VersionStage: 'AWSCURRENT' };
        const found = await ask(() => client.send(new aws.GetSecretValueCommand(current))).catch(whenMissing);
        if (found === undefined) return undefined;
        const { SecretString: value = '', VersionId: versionId = '' } = found;
        return { value, versionId };
      },
      write: async (id, { value, versionId, existed }) => {
        const content = { SecretString: value, ClientRequestToken: versionId };
        await ask(() =>
          existed
            ? client.send(new aws.PutSecretValueCommand({ SecretId: id, ...content }))
            : client.send(new aws.CreateSecretCommand({ Name: id, ...content })),
        );
      },
      goBack: async (id, { from, to }) => {
        const stage = { VersionStage: 'AWSCURRENT', RemoveFromVersionId: from, MoveToVersionId: to };
        await ask(() => client.send(new aws.UpdateSecretVersionStageCommand({ SecretId: id, ...stage })));
      },
      remove: async (id) => {
        const how = { SecretId: id, ForceDeleteWithoutRecovery: true };
        await ask(() => client.send(new aws.DeleteSecretCommand(how)));
      },
    });
  } finally {
    close(client);
  }
}

function close(client: SecretsManagerClient): void {
  client.destroy();
}

function whenMissing(error: unknown): undefined {
  if (error instanceof StoreError && error.problem.kind === 'missing') return undefined;
  throw error;
}

/** By the name of the exception, which is part of the service's interface; its text may quote what was sent [I9]. */
const REFUSED =
  /^(AccessDenied|UnrecognizedClient|InvalidSignature|InvalidClientTokenId|ExpiredToken|CredentialsProvider|InvalidRequest|InvalidParameter|Decryption|Encryption)/;

function problemOf(error: unknown): StoreProblem {
  const name = error instanceof Error ? error.name : 'Error';
  if (name === 'ResourceNotFoundException') return { kind: 'missing', name };
  return { kind: REFUSED.test(name) ? 'refused' : 'unreachable', name };
}
