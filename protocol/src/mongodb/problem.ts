/** Why a MongoDB did not do what was asked. `text` never holds a connection string. */
export interface MongoProblem {
  /**
   * `unreachable`: nobody was asked. `refused`: the server, or the driver before it, said no. `unclear`: the connection
   * was lost after something was sent.
   */
  kind: 'unreachable' | 'refused' | 'unclear';
  text: string;
  /** The server's own number, such as 13 (Unauthorized) or 59 (CommandNotFound). */
  code?: number;
}

/** Undefined when the error is not the driver's. Decided by the class of the error and the server's code, not its text. */
export function mongoProblem(error: unknown): MongoProblem | undefined {
  if (!(error instanceof Error) || !error.name.startsWith('Mongo')) return undefined;
  const { name, message } = error;
  if (name === 'MongoServerSelectionError') return { kind: 'unreachable', text: message };
  if (name === 'MongoServerError' || name === 'MongoBulkWriteError') {
    const code = 'code' in error && typeof error.code === 'number' ? error.code : undefined;
    return {
      kind: 'refused',
      text: `${message}${code === undefined ? '' : ` (${code})`}`,
      ...(code !== undefined && { code }),
    };
  }
  if (/Network|Timeout|NotConnected|TopologyClosed|PoolClosed|ClientClosed/.test(name))
    return { kind: 'unclear', text: message };
  // What is wrong with a connection string is said with parts of it: the name must do.
  return { kind: 'refused', text: `the driver refused it: ${name}` };
}
