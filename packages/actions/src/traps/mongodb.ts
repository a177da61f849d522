import type { Trap } from './trap.ts';

/** Moving a MongoDB with MongoMirror or mongosync: the guide for Fast Data, "MongoDB migration". */
export const MONGODB_TRAPS: Readonly<Record<string, Trap>> = {
  T30: {
    title: 'Reading a lag that is nowhere',
    guide: `"when MongoMirror lag is 0".`,
    happens: `MongoMirror has no field for its lag. It gives two timestamps of 64 bits, seconds in the upper half; a JSON parser reads
them into doubles, which round the lower ten bits away, and two positions that differ look the same.`,
    signalbox: `\`mongomirror.status\` reads both as 64-bit integers, from numbers or text, and gives \`lagSeconds\`.`,
  },
  T31: {
    title: 'Taking the first copy for a mirror without lag',
    guide: `"when MongoMirror lag is 0".`,
    happens: `during \`initial sync\` the newest timestamp stands still, and both are equal: the lag "is 0" before anything was
copied.`,
    signalbox: `\`lagSeconds\` is absent until the stage is \`oplog sync\`, and an absent value meets no condition; gates ask for the stage
as well.`,
  },
  T32: {
    title: 'Asking faster than the answer changes',
    guide: `a look at the status page.`,
    happens: `MongoMirror refreshes its timestamps every 10 s. Ten samples within 9 s are one sample, and a mirror that hangs shows its
last good value for ever.`,
    signalbox: `the probe says how often it refreshes; a gate with a shorter window than twice that is refused by \`signalbox check\`
(\`SB301\`). \`latestSeconds\` rises also while nobody writes, so \`latestSeconds: { rising: true }\` wants values that were refreshed.`,
  },
  T33: {
    title: 'Taking a running mirror for a working one',
    guide: `"set up and start MongoMirror".`,
    happens: `with a status port it does not exit on an error: it serves \`errorMessage\`, and the unit stays \`active\`.`,
    signalbox: `a fence wants \`errorMessage: { absent: true }\` for as long as the mirror is needed, and \`failIf\` ends a gate at once.`,
  },
  T34: {
    title: 'Copying for longer than the oplog remembers',
    guide: `"pay attention to the oplog size".`,
    happens: `when the first copy is done, the entry at which it began is gone from the source. Days of copying are lost, and it is
noticed at the end.`,
    signalbox: `\`mongodb.oplogWindow\` before, and \`mongodb.oplogHeadroom\` as a fence all the time: full window less the time so far
less the estimated rest. It runs out of headroom while there is still time to make the oplog larger.`,
  },
  T35: {
    title: 'Assuming that nobody writes',
    guide: `"when we're sure no service is writing on the source database".`,
    happens: `nobody is sure. A cron job, a forgotten service or an open transaction writes after the mirror is off, and that write
exists nowhere else. A look at the active operations shows nothing: a write takes a millisecond.`,
    signalbox: `\`mongodb.quiet\` counts what stands in the oplog of the last seconds, transactions (\`admin.$cmd\`) by what is in them, and
open transactions; only the server's own bookkeeping is left out. It names namespace, user and client of the last write. Where
the server can, \`mongodb.writeBlock\` has it refuse writes as well.`,
  },
  T36: {
    title: 'Looking once',
    guide: `"when we're sure", and then the switch.`,
    happens: `between the look and the switch a pod is restarted, a cron job wakes up. The mirror is off: that write is lost.`,
    signalbox: `the proof of quiet is a fence: it stays watched until the point of no return. A write breaks it, voids approvals, holds the run
with namespace, user and client, and what depended on it (\`validWhile\`) is asked again.`,
  },
  T37: {
    title: 'Several mirrors that get in each other’s way',
    guide: `"it is possible to set up and run multiple MongoMirror instances at once".`,
    happens: `with one bookmark file they go on at each other's position; with overlapping namespaces each write is made twice; what no
mirror has in its list is left behind; a transaction across two lists cannot be carried by either. \`--drop\` empties the destination
at each start.`,
    signalbox: `\`mongomirror.start\` with \`partition\` compares the command lines of all mirrors with each other, with the source's
collections and with the transactions in its oplog, before anything starts (\`SB-ACT-MIRROR-UNSAFE\`).`,
  },
  T38: {
    title: 'Believing that both sides are equal',
    guide: `nothing; the lag was 0.`,
    happens: `an index that was not built, a collection that no filter named, documents with the same count and other content: found by
customers.`,
    signalbox: `\`mongodb.compare\` compares every collection: count, dbHash, indexes (normalised) and options, while writes are stopped. Its
gate is a guard of the point of no return.`,
  },
  T39: {
    title: 'Waiting for mongosync to have no lag',
    guide: `"when MongoMirror lag is 0", carried over to its successor.`,
    happens: `mongosync's lag may never be 0, above a bound it refuses to commit, after the commit the destination is not writable at
once, and for minutes after a resume \`/progress\` answers with an error.`,
    signalbox: `a gate on a bound and on \`canCommit\`; \`mongosync.commit\` is done when \`canWrite\` is true; an answer that does not come
is a missing sample (\`tolerate\`), never a failure and never a success.`,
  },
  T40: {
    title: 'Treating CRUD as a reader',
    guide: `"the reading services (such as CRUD)".`,
    happens: `CRUD can write. Pointed at the destination early, it writes there while the mirror still writes; pointed at the source, it
writes behind the mirror's back.`,
    signalbox: `readers and writers are lists of the runbook, and nobody's word is taken for them: \`mongodb.writeBlock\` keeps the
destination from everybody but the mirror until the point of no return, \`mongodb.quiet\` sees a write to the source, \`mongodb.compare\` one to
the destination.`,
  },
  T41: {
    title: 'Forgetting documents that delete themselves',
    guide: `nothing.`,
    happens: `TTL indexes delete on their own: each deletion is a write, so the source is never quiet; and the destination deletes at
its own time, so both sides differ although nothing is wrong.`,
    signalbox: `\`mongodb.ttlMonitor\` turns it off on every member of both sets (it is a parameter of each server, and the next primary goes
by its own), and gives back to each what it had.`,
  },
  T42: {
    title: 'Leaving the accounts behind',
    guide: `nothing.`,
    happens: `no mirror carries users and roles. The first connection to the new database is refused, after the point of no return.`,
    signalbox: `\`mongodb.users\` compares users, roles and privileges, and names what is missing. Passwords cannot be read:
\`mongodb.privileges\` logs in as the application's user, and names what that may not do, days before (\`preflight\`).`,
  },
  T43: {
    title: 'Carrying a position in a change stream over',
    guide: `nothing.`,
    happens: `a resume token belongs to one replica set's oplog. At the other one CDC fails, or begins now and skips what was in
between.`,
    signalbox: `the statement of the point of no return names who starts anew (\`changeStreams\`), so two people say yes to it, and the plan
that is sent round has it.`,
  },
  T70: {
    title: 'Taking "0 replicas" for "nobody writes"',
    guide: `"teardown the writing services".`,
    happens: `\`kubectl rollout status\` is content with 0 replicas while pods are still ending, and they write until they are gone.`,
    signalbox: `\`kubernetes.scale\` scales from the number that it saw, and is done when no pod of the selector exists, ending ones included.
A selector that matches nothing beforehand stops the plan, because it would prove nothing afterwards.`,
  },
  T71: {
    title: 'Believing kubectl wait',
    guide: `nothing.`,
    happens: `\`kubectl wait --for=delete\` succeeds when nothing matches: a wrong selector proves everything.`,
    signalbox: `the selector is read from the Deployment, and must match pods before it may prove that there are none.`,
  },
  T72: {
    title: 'Forgetting what was there',
    guide: `"setting their replicas number to 0".`,
    happens: `the way back needs the numbers and variables of an hour ago, and they are in nobody's file.`,
    signalbox: `both are the receipt of the step, taken before the change; undo restores them, and a start after the point of no return
takes its replicas from there.`,
  },
  T73: {
    title: 'Putting a password into the object',
    guide: `"switch the MONGODB_URL".`,
    happens: `\`kubectl set env MONGODB_URL=mongodb://user:password@...\` writes it into the Deployment's spec: everybody who may look at it
can read it, and so can every old revision.`,
    signalbox: `\`kubernetes.setEnvFromSecret\` writes a reference to a Secret, and reads of that Secret only the names of its keys. A
runbook with a literal password is refused; a Deployment that has one stops the plan (\`SB-ACT-KUBERNETES-LITERAL\`).`,
  },
  T74: {
    title: 'Forgetting who scales it back',
    guide: `"setting their replicas number to 0".`,
    happens: `an autoscaler or a GitOps controller restores the number a minute later, and the writers are back behind everybody's back.`,
    signalbox: `\`kubernetes.pods\` stays watched as a fence until the point of no return: \`desired\` above 0 stops the sequence before a pod
has started.`,
  },
};
