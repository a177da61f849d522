import { SignalboxError } from '@signalbox/protocol';
import { ErrorCode, NatsError } from 'nats';
import { type BusCode, busError } from './codes.ts';

/**
 * JetStream's own error numbers (source: nats-server/server/errors.json). Full streams and full storage both come as
 * status 503, which also means "nobody listens", so only these tell them apart.
 */
export const JS_ERROR = {
  wrongLastSequence: 10071,
  noMessage: 10037,
  streamNotFound: 10059,
  streamNameInUse: 10058,
  streamUpdateInvalid: 10052,
  subjectsOverlap: 10065,
  consumerNotFound: 10014,
  insufficientResources: 10023,
  storageExceeded: 10047,
  memoryExceeded: 10028,
  streamStoreFailed: 10077,
  messageTooLarge: 10054,
  notEnabledForAccount: 10039,
  notEnabled: 10076,
  noPeers: 10005,
  clusterUnavailable: 10008,
  sequenceNotReady: 10163,
  sequenceInFlight: 10164,
  duplicateInFlight: 10158,
} as const;

const BY_NUMBER: ReadonlyMap<number, BusCode> = new Map([
  [JS_ERROR.insufficientResources, 'SB-BUS-STORAGE-FULL'],
  [JS_ERROR.storageExceeded, 'SB-BUS-STORAGE-FULL'],
  [JS_ERROR.memoryExceeded, 'SB-BUS-STORAGE-FULL'],
  [JS_ERROR.streamStoreFailed, 'SB-BUS-STREAM-FULL'],
  [JS_ERROR.messageTooLarge, 'SB-BUS-TOO-LARGE'],
  [JS_ERROR.notEnabledForAccount, 'SB-BUS-NO-JETSTREAM'],
  [JS_ERROR.notEnabled, 'SB-BUS-NO-JETSTREAM'],
  [JS_ERROR.noPeers, 'SB-BUS-NO-LEADER'],
  [JS_ERROR.clusterUnavailable, 'SB-BUS-NO-LEADER'],
  [JS_ERROR.sequenceNotReady, 'SB-BUS-NO-LEADER'],
  // Another write to that subject is on its way to the other servers. It may be this very one, sent before.
  [JS_ERROR.sequenceInFlight, 'SB-BUS-TIMEOUT'],
  // The same, of a message that is known by its id: what was said before is still being stored.
  [JS_ERROR.duplicateInFlight, 'SB-BUS-TIMEOUT'],
  [JS_ERROR.streamUpdateInvalid, 'SB-BUS-STREAM-MISMATCH'],
  [JS_ERROR.streamNameInUse, 'SB-BUS-STREAM-MISMATCH'],
  [JS_ERROR.subjectsOverlap, 'SB-BUS-STREAM-MISMATCH'],
]);

const BY_CLIENT_CODE: Readonly<Record<string, BusCode>> = {
  [ErrorCode.Timeout]: 'SB-BUS-TIMEOUT',
  [ErrorCode.ConnectionClosed]: 'SB-BUS-OFFLINE',
  [ErrorCode.ConnectionDraining]: 'SB-BUS-OFFLINE',
  [ErrorCode.MaxPayloadExceeded]: 'SB-BUS-TOO-LARGE',
  [ErrorCode.PermissionsViolation]: 'SB-BUS-DENIED',
  [ErrorCode.AuthorizationViolation]: 'SB-BUS-AUTH',
  // The connection was lost with the request on its way.
  [ErrorCode.Disconnect]: 'SB-BUS-TIMEOUT',
};

/** JetStream's number of an error, when it has one. */
export function jsErrorNumber(error: unknown): number | undefined {
  return error instanceof NatsError ? error.api_error?.err_code : undefined;
}

/** True when nobody listens on the subject that was asked. Storage that is full has the same status, and a number. */
export function isNoResponders(error: unknown): boolean {
  return error instanceof NatsError && error.code === ErrorCode.NoResponders && error.api_error === undefined;
}

export function isTimeout(error: unknown): boolean {
  return error instanceof NatsError && error.code === ErrorCode.Timeout;
}

/** Turns what NATS threw into a catalogued failure; what has a code already keeps it. */
export function toBusError(error: unknown, doing: string): SignalboxError {
  if (error instanceof SignalboxError) return error;
  const said = error instanceof Error ? error.message : String(error);
  const message = `${doing}: ${said}`;
  if (isNoResponders(error)) {
    const hint = 'no stream answers; JetStream may be starting, or no coordinator has prepared the mesh';
    return busError('SB-BUS-NO-LEADER', `${doing}: ${hint}`, { cause: error });
  }
  const byNumber = BY_NUMBER.get(jsErrorNumber(error) ?? 0);
  const byCode = error instanceof NatsError ? BY_CLIENT_CODE[error.code] : undefined;
  return busError(byNumber ?? byCode ?? 'SB-BUS-FAILED', message, { cause: error });
}
