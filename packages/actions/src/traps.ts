import { KAFKA_TRAPS } from './traps/kafka.ts';
import { MONGODB_TRAPS } from './traps/mongodb.ts';
import { TRAFFIC_TRAPS } from './traps/traffic.ts';
import type { Trap } from './traps/trap.ts';

export type { Trap };

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
are the proof. A mask is gone after a reboot: \`remesd.setKeyAside\` takes the key itself from the old node, and \`remesd.adoptKey\`
gives it to the new one only after that one knows what the key has signed. \`runbooks/r3mes/validator-move.yaml\` does all of it.`,
  },
  T07: {
    title: 'Calling what the program does not have',
    guide: `\`remesd migrate\`, \`remesd import state.json\`.`,
    happens: `no release has these commands (\`genesis migrate\` is another thing). It is found out at night, with the node stopped. And a group
of commands answers an unknown word with its help and exit code 0, so a script goes on.`,
    signalbox: `actions that call a subcommand ask the program for its help when the plan is made, and read the usage line that it prints; one
that is not there stops the plan (\`SB-ACT-SUBCOMMAND-MISSING\`) and not the run. A state is imported by starting a node from it as its genesis:
\`remesd.newHome\` makes the home for that, from a file with the checksum that was exported and that the program finds valid.`,
  },
  T08: {
    title: 'Exporting task pools with a query that is not there',
    guide: `\`remesd query remes task-pools --output json > task_pools_export.json\`.`,
    happens: `the file holds the help of the query command.`,
    signalbox: `\`remesd.query\` is refused as in T07, and an answer has to be JSON with the list that was named (\`SB-ACT-EXPORT\`) before there
is a file.`,
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
  T10: {
    title: 'Exporting variables in a shell',
    guide: `\`export R3MES_ENV=staging; systemctl restart r3mes-miner\`.`,
    happens: `systemd starts a service with the environment that its unit says. The shell's variables reach nobody, the restart succeeds,
and the service works for the old place.`,
    signalbox: `\`systemd.dropIn\` gives a unit variables or a file of them, has systemd read it and compares what systemd then shows
(\`SB-ACT-DROP-IN\`). After the restart, the probe \`systemd.environment\` reads the environment of the _running_ process and says which names differ; the
comparison is made on the host, and no value leaves it. What a build bakes in (\`NEXT_PUBLIC_*\`) no restart changes: \`npm.build\` builds
anew beside the old build, and \`http.page\` reads the page and its scripts as browsers get them.`,
  },
  T11: {
    title: 'Taking the list of new names for complete',
    guide: `\`OLD_NODE_URL\` becomes \`R3MES_NODE_GRPC_URL\`.`,
    happens: `code and units also use \`R3MES_NODE_GRPC_ADDR\`, \`R3MES_BLOCKCHAIN_GRPC_URL\`, \`R3MES_DATABASE_URL\`. A name that is set in the unit
itself does not change with the file.`,
    signalbox: `the table is a parameter of the runbook. \`env.change\` reports old names that the unit gets from somewhere else
(\`SB-ACT-ENV-ELSEWHERE\`), and the gate after the restart wants the old names gone from the running process.`,
  },
  T12: {
    title: 'Sourcing a file of variables',
    guide: `\`source .env.old\`, then a template \`DATABASE_URL=\${OLD_DB_URL}\`.`,
    happens: `whatever is in the file is run. A name that is not in it becomes a blank, and the service starts with its default. Comments
and everything that the template does not name are lost; the new file has the mode of the shell.`,
    signalbox: `\`env.change\` reads the file as data. What a shell would run or expand, what is in quotes that do not fit, and a name
that stands twice is refused with its line (\`SB-ACT-ENV-FILE\`); blanks are refused (\`SB-ACT-ENV-BLANK\`), and so are an old and a new name
that disagree (\`SB-ACT-ENV-CONFLICT\`). Other lines stay where they are. The new file is written beside the old one with mode 0600 and
renamed; the old one is kept.`,
  },
  T13: {
    title: 'Migrating whatever database the code finds',
    guide: `\`export DATABASE_URL=...; alembic upgrade head\`.`,
    happens: `env.py is code: it may not read that variable, or fall back to sqlite. Alembic then migrates a file that nobody uses, and
says that all went well. And \`head\` is whatever the scripts on the host say at that moment.`,
    signalbox: `\`alembic.upgrade\` reads the URL that Alembic really uses from \`alembic current --verbose\` and compares it with the
connection of the runbook (\`SB-ACT-ALEMBIC-DATABASE\`); \`head\` becomes an exact revision in the plan; the revision before is the
receipt, and the one after is read from the database itself. Scripts with several heads stop the plan (\`SB-ACT-ALEMBIC-REVISION\`).`,
  },
  T14: {
    title: 'One downgrade too many',
    guide: `restore the dump, then \`alembic downgrade -1\`.`,
    happens: `the dump has brought its own \`alembic_version\` along, so the database already is at the old revision. One more step down drops
tables: from 003, those of the release; from 001, all of them.`,
    signalbox: `the way back from \`alembic.upgrade\` asks the database first and goes to the recorded revision, never "one down". A database
that is there already is left alone. Steps are undone in reverse, so the schema goes back first and the dump is compared last.`,
  },
  T15: {
    title: 'Restoring into the live database',
    guide: `\`psql -d r3mes < backup.sql\`.`,
    happens: `the live database is not empty: tables exist, keys collide, and psql prints errors and goes on with exit code 0. What is left is
a mixture of two states.`,
    signalbox: `\`postgres.restore\`, and the way back from \`postgres.dump\`, restore into a new database, in one transaction that any error ends;
compare schema, rows and checksums of every table with what was dumped; and swap by two renames in one transaction. The old database is kept.
Who is still connected is named (\`SB-ACT-DATABASE-BUSY\`) and not thrown out.`,
  },
  T16: {
    title: 'Computing the name of the backup twice',
    guide: `\`backup_$(date +%Y%m%d).sql\`, at the backup and again at the rollback.`,
    happens: `past midnight it is another name. And nobody has ever tried whether the file can be read.`,
    signalbox: `the path of a dump is a receipt. Each dump has a folder of its own, readable by the agent alone, and a manifest with
checksum and fingerprint of the database that is written last; \`pg_restore --list\` has read it before the step is done, and a restore reads all
of it and compares (\`SB-ACT-DUMP-DAMAGED\`).`,
  },
  T17: {
    title: 'Taking an image tag for a backup',
    guide: `\`docker tag r3mes-backend:latest r3mes-backend:v0.x-backup\`.`,
    happens: `the service is built on the host and mounts its code: the old image comes back with the new code.`,
    signalbox: `\`docker.up\` records the image by its content and the commit of the code that the container mounts, and gives the old image a
name of its own. Stopped before, checked out, brought up: in reverse, code and image are both old again before the container
starts.`,
  },
  T18: {
    title: 'Naming a compose file that is not there',
    guide: `\`docker-compose -f docker-compose.rollback.yml up -d backend\`.`,
    happens: `the file was never written, which is noticed when the rollback is needed. On newer hosts there is no
\`docker-compose\`, only \`docker compose\`.`,
    signalbox: `both are looked for, and a file that is missing, is not understood, or lacks the service is said when the plan is made
(\`SB-ACT-COMPOSE-FILE\`). The way back needs no file of its own.`,
  },
  T19: {
    title: 'Asking an address that is always content',
    guide: `\`curl http://localhost:8000/health\`.`,
    happens: `\`/health\` answers "healthy" without looking at anything, also with a schema that the release cannot work with, or on a sqlite file
that it made because a variable was missing.`,
    signalbox: `gates ask \`/health/database\` with \`http.get\`, for status _and_ body: \`body.status\` healthy and \`body.database\`
postgresql, for an unbroken window.`,
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
  T21: {
    title: 'Pulling a branch',
    guide: `\`git pull origin main\`, back with \`git checkout v0.x\`.`,
    happens: `what comes is whatever was pushed last. What was mended on the host by hand stops the pull, or is lost. Nobody
knows which commit ran before.`,
    signalbox: `\`git.checkout\` takes a commit or a tag and refuses branches (\`SB-ACT-GIT-REVISION\`), refuses a tree with changes
(\`SB-ACT-GIT-DIRTY\`), records commit and branch, and goes back to exactly them. It runs as the owner of the code and runs no hooks.`,
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
  T24: {
    title: 'Carrying rows through a file on the server',
    guide: `\`COPY ... TO '/tmp/users_export.csv'\`, \`COPY users(...) FROM ...\`.`,
    happens: `the path is the database server's, and only a superuser may write there. Columns differ between revisions: 001 has no
\`updated_at\`. And nobody compares what arrived, or knows which users were there before.`,
    signalbox: `\`postgres.copyOut\` streams to a file on the agent's host that nobody else may read, with count and checksum of the same moment;
\`postgres.copyIn\` loads in one transaction that is kept only when count and checksum are the same in the other table
(\`SB-ACT-ROWS-DIFFER\`). Keys that are there already are counted and stop the load (\`SB-ACT-DUPLICATE-ROWS\`); a column that is missing is said
at plan time (\`SB-ACT-COLUMN-MISSING\`). Undo takes exactly these rows out, unless one was changed since.`,
  },
  T25: {
    title: 'Ticking boxes',
    guide: `"secrets migrated", "CORS verified (no localhost)", "certificates configured", "backup procedures tested".`,
    happens: `a box is ticked from memory. The password still stands in the old file, \`*\` is allowed, the certificate ends on Sunday, and no
backup was ever restored.`,
    signalbox: `\`runbooks/r3mes/production-checklist.yaml\` measures what can be measured: \`env.file\` counts secrets and local origins,
\`tls.certificate\` looks at the certificate that is really presented, \`postgres.tryRestore\` restores the dump into a scratch
database and compares. What a machine cannot know is a manual step, confirmed with a name and a note in the log.`,
  },
  T26: {
    title: 'Backing up at leisure while the validator is down',
    guide: `stop, copy gigabytes, export, start.`,
    happens: `who misses too many blocks is jailed and slashed for downtime. With the SDK's example parameters the window is minutes.`,
    signalbox: `the probe \`remesd.downtime\` asks the chain for its parameters and measures its blocks: \`budgetSeconds\`, against
\`backupSeconds\` for the data as it is. A runbook has a gate on \`headroomSeconds\` before it stops anything, and a downtime clock after. Backups share
blocks with the data where the file system can.`,
  },
  ...MONGODB_TRAPS,
  ...KAFKA_TRAPS,
  ...TRAFFIC_TRAPS,
};
