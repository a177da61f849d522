/** What servers keep for themselves, and no mirror carries. */
const OWN_DATABASES = ['admin', 'local', 'config'];
/** mongosync keeps its position in databases of that name at the destination (MongoDB's reference of mongosync). */
const MONGOSYNC_PREFIX = 'mongosync_reserved_for_internal_use';

/** Whether a database is no user's: a server's own, or a tool's that moves data. */
export function isOwnDatabase(name: string): boolean {
  return OWN_DATABASES.includes(name) || name.startsWith(MONGOSYNC_PREFIX);
}
