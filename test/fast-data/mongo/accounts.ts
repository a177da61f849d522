/** Accounts of every set, as a site has them: one for administrators, one for applications, one each for the tools. */
export const ACCOUNTS = {
  root: { password: 'the-root-of-it', roles: [{ role: 'root', db: 'admin' }] },
  app: { password: 'what-apps-know', roles: [{ role: 'readWriteAnyDatabase', db: 'admin' }] },
  /** MongoDB asks of the account of a mirror: backup at the source, restore at the destination, and applyOps. */
  mirror: {
    password: 'mirror-mirror',
    roles: ['backup', 'restore', 'clusterMonitor', 'readAnyDatabase', 'applies'].map((role) => ({ role, db: 'admin' })),
  },
  /** What docs/guides/fast-data.md says that Signalbox needs. */
  signalbox: {
    password: 'signal-and-box',
    roles: ['clusterMonitor', 'readAnyDatabase', 'signalbox'].map((role) => ({ role, db: 'admin' })),
  },
} as const;
export type Account = keyof typeof ACCOUNTS;

/** Of the role `signalbox`; the guide gives the same to administrators, and a test compares. */
export const SIGNALBOX_PRIVILEGES = [
  { resource: { db: 'local', collection: 'oplog.rs' }, actions: ['find', 'collStats'] },
  {
    resource: { cluster: true },
    actions: ['setUserWriteBlockMode', 'getParameter', 'setParameter', 'inprog', 'viewUser'],
  },
  { resource: { db: '', collection: '' }, actions: ['dbHash', 'viewUser', 'viewRole'] },
];
