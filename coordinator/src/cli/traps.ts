/**
 * Steps of hand-written migration guides that lose data or get a validator punished, and what stops them here. Each is
 * held by a test with the same id in its title.
 */
export interface Trap {
  readonly id: string;
  /** What the guide has people do. */
  readonly guide: string;
  /** Why that is dangerous. */
  readonly danger: string;
  /** What prevents it. */
  readonly instead: string;
}

export const TRAPS: readonly Trap[] = [
  {
    id: 'T01',
    guide: 'export a chain node’s state while the node may still run',
    danger: 'the database is locked, and the file holds an error or half a state',
    instead: 'work on the data folder wants the unit stopped and its processes proven gone, or refuses',
  },
  {
    id: 'T02',
    guide: '`remesd export > file`',
    danger: 'start-up checks print to standard output and end up inside the file',
    instead: 'programs are started by argv and write their own output document; nothing is redirected',
  },
  {
    id: 'T03',
    guide: 'bare `remesd ...` without --home',
    danger: 'its default home is not the one that the unit uses: a backup of an empty folder looks like success',
    instead: 'the home is always explicit and compared with the one in the unit; a mismatch stops the plan',
  },
  {
    id: 'T04',
    guide: '`cp -r data data.backup`',
    danger: 'a copy of a running database is corrupt, and the second copy nests inside the first',
    instead:
      'remesd.backup wants the node stopped, has a unique name, a manifest with checksums, and looks at free space first',
  },
  {
    id: 'T05',
    guide: 'roll back with `rm -r data; cp -r data.backup data`',
    danger:
      'deletes before the backup is proven, and rewinds the signing state: double signing, a tombstone and a slash',
    instead:
      'the backup is verified, the data renamed away, and the higher of the two signing states kept; backward is refused',
  },
  {
    id: 'T06',
    guide: 'start the node at its new place',
    danger: 'the same validator key active on two hosts is a tombstone',
    instead: 'an `exclusive` resource starts only after it is proven stopped everywhere else [I10]',
  },
  {
    id: 'T09',
    guide: '`go install` the new binary',
    danger: 'it lands in another folder than the one that the unit runs',
    instead:
      'remesd.install writes to the path that the unit names, atomically, checks checksum and version, and keeps the old one',
  },
  {
    id: 'T20',
    guide: '`pip install -r requirements.txt`',
    danger: 'can leave an environment half changed, with no record of what was there',
    instead: 'pip.install freezes before, checks after, and goes back to the freeze',
  },
  {
    id: 'T22',
    guide: '`systemctl start` has exited with 0, so the service runs',
    danger: 'a service that crashes and is restarted looks started',
    instead: 'systemd.start wants the unit active with a stable main process and no growing restarts',
  },
  {
    id: 'T23',
    guide: 'the node is up because `catching_up` is false',
    danger: 'a node without peers says so too',
    instead: 'gates also want the height to rise, the block to be young and peers to be there',
  },
];
