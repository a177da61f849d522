/** A command of the migration guide that does harm, and what Signalbox does in its place. Texts are Markdown. */
export interface Trap {
  title: string;
  /** What the guide has people type. */
  guide: string;
  happens: string;
  signalbox: string;
}

/** By the number that stands in the titles of the tests. `docs/traps.md` is made from it. */
export const TRAPS: Readonly<Record<string, Trap>> = {
  T01: {
    title: 'Exporting or copying while the node may run',
    guide: `\`remesd export > file\`, \`cp -r data data.backup\`.`,
    happens: `the database belongs to one process. An export fails, or the file holds an error message; a copy of open
database files is corrupt, and nobody notices until it is needed.`,
    signalbox: `\`remesd.backup\` refuses unless the unit is stopped, has no process left, and no process at all has a file of
the data open or a lock on it (\`SB-ACT-UNIT-ACTIVE\`, \`SB-ACT-DATA-BUSY\`). It asks again when the copy is done; whoever started
the node meanwhile made the copy worthless, and it gets no manifest.`,
  },
  T02: {
    title: 'Taking a file from standard output',
    guide: `\`remesd export > genesis_export.json\`.`,
    happens: `start-up validation prints to standard output as well, so the file begins with text and is no JSON.`,
    signalbox: `no action redirects a program's output into a file; there is no shell that could. Programs are started by argv,
and an exporting program is given its own option for a file, as in \`exec.run\` with
\`[remesd, export, --home, ..., --output-document, ...]\`.`,
  },
  T03: {
    title: 'Leaving the home out',
    guide: `bare \`remesd ...\`.`,
    happens: `the program's own default is \`~/.remes\`; the unit runs with \`--home /home/remes/.remesd\`. The wrong home is
exported or backed up, successfully.`,
    signalbox: `the home is always given, and \`check\` compares it with \`--home\` of the unit's \`ExecStart\`. Another home, or a unit
that names none, stops the plan (\`SB-ACT-HOME-MISMATCH\`). Probes read the home from the unit.`,
  },
  T04: {
    title: 'Copying the data with cp',
    guide: `\`cp -r data data.backup\`.`,
    happens: `while the node runs, the copy is corrupt (T01). The second time, \`data.backup\` exists, and \`cp\` puts the new
copy _inside_ the old one: the rollback restores the old one. On a full disk, half a copy looks like a copy.`,
    signalbox: `each backup has a folder of its own, \`<home>/backups/<execution>\`, and never goes into one that exists
(\`SB-ACT-BACKUP-EXISTS\`). Free space is asked for before (\`SB-ACT-DISK-FULL\`). A manifest with size and SHA-256 of every file
is written last, when everything else is on disk: no manifest, no backup.`,
  },
  T05: {
    title: 'Rolling the data back',
    guide: `\`rm -r data; cp -r data.backup data\`.`,
    happens: `the data is deleted before anybody knows whether the backup is good. And \`priv_validator_state.json\`, the
validator's memory of what it signed last, is set back with it. The node starts, catches up, and signs heights a second time
that it has signed before. Double signing costs 5% of the stake and the validator, for ever.`,
    signalbox: `the way back from \`remesd.backup\`, and \`remesd.restore\`, do this in this order:

1. nothing at all when the data still is what was backed up: the new release never ran;
2. read back every file of the backup and compare it with the manifest, and the manifest with the receipt
   (\`SB-ACT-BACKUP-DAMAGED\` changes nothing);
3. copy the backup beside the data;
4. compare height, round and step of the present signing state with the backup's, as 64-bit numbers, and carry the **higher**
   one into the copy. When the present one cannot be read, or the result would be lower than what is known to have been signed,
   stop (\`SB-ACT-SIGNER-UNKNOWN\`, \`SB-ACT-SIGNER-BACKWARD\`);
5. rename the data to \`data.before-undo-...\` and the copy to \`data\`.

Nothing is deleted. After a crash between two lines the next try goes on, and takes the signing state that was set aside into
account.`,
  },
  T06: {
    title: 'Starting the node at the new place',
    guide: `stop here, start there.`,
    happens: `the same validator key active on two hosts signs twice: the loss of T05, without any rollback.`,
    signalbox: `\`systemd.stop\` does not believe \`systemctl stop\`: it wants the unit inactive, no process counted in it, and the
main process that was there gone (\`SB-ACT-UNIT-ALIVE\`). With \`mask: true\` nothing starts the unit again before the step is undone;
where a mask would have no effect, because the unit's file is in /etc, the plan says so (\`SB-ACT-MASK-OUTRANKED\`). A runbook
declares the key as \`exclusive\`; the probes \`systemd.unit\` (\`processes\`) and \`remesd.signerHeight\` (works while the node is down)
are the proof.`,
  },
  T09: {
    title: 'Installing where nobody starts it',
    guide: `\`go install ./cmd/remesd\`.`,
    happens: `the binary lands in GOPATH/bin; the unit starts /usr/local/bin/remesd. The restart runs the old version, and the
upgrade "works".`,
    signalbox: `\`remesd.install\` asks systemd which path the unit starts and puts the binary there: checksum first (a file with the
wrong one is not even run), written beside, on disk, asked for its version, then renamed over the old one, which is kept. Undo
renames the old one back after proving by checksum that it is the old one. A version is compared whole: 1.0.0 is not 1.0.0-rc1. It
replaces nothing under a running node and follows no link.`,
  },
  T20: {
    title: 'Changing an environment without knowing it',
    guide: `\`pip install -r requirements.txt\`.`,
    happens: `what is not pinned changes; packages that others need are replaced; a failure leaves the environment half-way;
and nobody knows what was there before. It may not even be the environment that the service runs from.`,
    signalbox: `\`pip.install\` takes one pinned requirement and one virtual environment (with \`unit\`, it must be the one that the unit
runs from: \`SB-ACT-VENV-MISMATCH\`). It records every package before, runs \`pip check\` after (\`SB-ACT-PIP-CHECK\`: pip itself is content
with conflicts), and undo removes what was added, reinstalls what was changed, and compares the whole list. The old versions must still
be where packages come from: keep them in the \`findLinks\` folder or the index.`,
  },
  T22: {
    title: 'Taking "started" for "running"',
    guide: `\`systemctl start remesd\`, exit code 0.`,
    happens: `exit code 0 means that a process was started. With \`Restart=always\` a program that crashes every second looks
\`active\` most of the time.`,
    signalbox: `\`systemd.start\` and every way back that starts something watch the unit for a window (\`stableFor\`, 1 s): active, the same
main process, no further restart (\`SB-ACT-UNIT-UNSTABLE\`). A crash that comes later is for a gate: \`restarts\` and \`unitState\` are values of
\`cometbft.status\` and \`miner.status\` also while nothing answers, so \`failIf: { restarts: { rising: true } }\` gives up at once. A start
limit that a crash loop has used up is freed first, so that it does not keep the good release down.`,
  },
  T23: {
    title: 'Taking "not catching up" for "healthy"',
    guide: `\`catching_up: false\`.`,
    happens: `a node without peers has nothing to catch up with and says \`false\`. And the form of the answer changed: newer
programs print \`sync_info\`, older ones \`SyncInfo\`; a script that looks for one finds nothing in the other.`,
    signalbox: `\`cometbft.status\` reads both forms and gives \`height\`, \`blockAgeSeconds\` and \`peers\` beside \`catchingUp\`, so a gate can ask for
all of them: height rising, block fresh, peers as before. A height is never rounded, and a value that cannot be had is absent, which
meets no condition.`,
  },
};
