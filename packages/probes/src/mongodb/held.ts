import type { Document } from 'mongodb';

/** Of `connectionStatus` with `showPrivileges`: what somebody may do to what. */
export interface Privilege {
  resource: Document;
  actions: string[];
}

/** What an action is wanted on: the cluster, a database with all its collections, or one collection. */
export type Wanted = { cluster: true } | { database: string; collection?: string };

/** Databases that a privilege on "any" does not reach: only roles that name them do. */
const NOT_ANY = ['local', 'config'];

/** Pure: whether these privileges hold an action, by MongoDB's rules for resources. */
export function holdsAction(held: readonly Privilege[], wanted: Wanted, action: string): boolean {
  return held.some(
    ({ resource, actions }) =>
      (actions.includes(action) || actions.includes('anyAction')) &&
      (resource.anyResource === true || covers(resource, wanted)),
  );
}

function covers(resource: Document, wanted: Wanted): boolean {
  if ('cluster' in wanted) return resource.cluster === true;
  const { db, collection } = resource;
  if (typeof db !== 'string' || typeof collection !== 'string') return false;
  if (db === '' ? NOT_ANY.includes(wanted.database) : db !== wanted.database) return false;
  // "" is every collection that is not a system's.
  return collection === '' ? !wanted.collection?.startsWith('system.') : collection === wanted.collection;
}

/** `shop`, `local.oplog.rs`, `the cluster`: as a person names it. */
export function nameOf(wanted: Wanted): string {
  if ('cluster' in wanted) return 'the cluster';
  return wanted.collection === undefined ? wanted.database : `${wanted.database}.${wanted.collection}`;
}

/** `local.oplog.rs` is a collection, `shop` a database. */
export function wantedOf(namespace: string): Wanted {
  const dot = namespace.indexOf('.');
  if (dot < 0) return { database: namespace };
  return { database: namespace.slice(0, dot), collection: namespace.slice(dot + 1) };
}
