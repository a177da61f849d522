import type { Trap } from './trap.ts';

/** Of the Fast Data migration guide, where it moves Kafka. */
export const KAFKA_TRAPS: Readonly<Record<string, Trap>> = {
  T50: {
    title: 'Taking lag for one number',
    guide: `wait until the lag of the topics is 0.`,
    happens: `lag is of a group *and* a partition. One partition can be behind while the others are read to the end; a group that
never committed has no lag in many tools; retention that deleted what was not read shows lag that nobody can ever work off.`,
    signalbox: `\`kafka.lag\` takes \`high - max(committed, low)\` of each partition and each group, in 64-bit numbers, and gives the
largest. Without a commit the whole partition counts.`,
  },
  T51: {
    title: 'Asking in a way that writes',
    guide: `look at the offsets with whatever the client offers.`,
    happens: `kafkajs's \`fetchOffsets({ resolveOffsets: true })\` commits the offsets that it resolves. A gate that asks in this
way moves consumers.`,
    signalbox: `is never used. A test compares offsets, groups and topics of a real cluster before and after every probe.`,
  },
  T52: {
    title: 'Taking no members for no consumers',
    guide: `switch the services off; when the group is empty, nobody reads.`,
    happens: `a consumer that chose its partitions itself is no member of any group. A group of the newer protocol (KIP-848, in
Kafka 4.x) is shown as \`Dead\` without members to a client that does not speak it.`,
    signalbox: `\`kafka.groups\` gives \`members\` and \`committed\`; ask for \`members: { equals: 0 }\` and \`committed: { still: true }\` over a
window. When the cluster lists a group and does not describe it, \`unseen\` names it and \`members\` is absent, which meets no condition.`,
  },
  T53: {
    title: 'Waiting for a lag of 0 that never comes',
    guide: `lag 0 on every topic.`,
    happens: `each transaction ends with a control record, which takes an offset and is read by nobody. A group that has read
everything stays behind by one.`,
    signalbox: `a tolerance a topic, declared in the runbook's parameters and shown in the plan.`,
  },
  T54: {
    title: 'Starting consumers without offsets',
    guide: `deploy the services with the new brokers.`,
    happens: `a group that the new cluster does not know begins where the service's own settings say, usually at the end: what was
produced before it came up is skipped.`,
    signalbox: `\`kafka.offsetsSet\` says before the start where each group begins. It refuses while a group has members
(\`SB-ACT-KAFKA-GROUP-BUSY\`), and undo gives back the offsets of before, or none.`,
  },
  T55: {
    title: 'Starting an updater that checks offsets',
    guide: `"consumers start reading topics from offset 0; this could cause issues on services making assumptions on offsets".`,
    happens: `a Real-Time Updater remembers the highest offset of each document, and \`FORCE_CHECK_ON_OFFSET\` is true where nobody set it.
The new cluster counts from 0, so every update looks old and is dropped, without an error.`,
    signalbox: `\`kubernetes.env\` looks at what the Deployments say before anything is stopped: \`allEqual: { equals: "false" }\`. What is not
set, or comes from where it cannot be seen, meets nothing.`,
  },
  T56: {
    title: 'Forgetting a producer',
    guide: `enumerate the external producers and stop them.`,
    happens: `the one that is not on the list goes on writing to the old cluster, behind the consumers that have left it.`,
    signalbox: `\`kafka.watermarks\` sees every write, whoever it is from: \`high: { still: true }\` has to hold before lag counts, and as a
fence until the point of no return, so that who comes back later is seen as well. In \`kafka-cutover\` the fence has the name of the topic, and after
the point of no return the old topics must be still once more: whoever was left behind writes where nobody reads.`,
  },
  T57: {
    title: 'Forgetting that services between topics are producers',
    guide: `"wait for each topic in the source Kafka instance to reach 0 lag".`,
    happens: `an updater that has read everything may still have to write what came of it: all lags are 0 for a moment, and then
there is a message again, with the services behind it switched off.`,
    signalbox: `\`kafka-cutover\` takes the topics in the order in which data flows. One is looked at when the one before it is still and read to
its end, and all of them stay watched.`,
  },
  T58: {
    title: 'Taking the new cluster for the old one with another address',
    guide: `"all the message history in the old cluster's topics will not be present in the new Kafka cluster".`,
    happens: `the old cluster is switched off with the night's last message read, and the history that an audit or a new projection
needs is gone.`,
    signalbox: `the runbook wants to know until when the old cluster is kept (\`historyKept\`). An approval names it before anything is done, and
the statement of the point of no return has it, so three people have read it.`,
  },
  T59: {
    title: 'Creating a topic by asking for it',
    guide: `check the topics on the new cluster.`,
    happens: `with \`auto.create.topics.enable\` a question about a missing topic makes it, with the default number of partitions.`,
    signalbox: `probes and actions list the topics first, with a client that creates none. What is missing is an error
(\`SB-PROBE-KAFKA-TOPIC\`, \`SB-ACT-KAFKA-TOPIC\`).`,
  },
  T60: {
    title: 'Making the connectors anew',
    guide: `"switch all of the external producers, like CDCs, to the new Kafka instance".`,
    happens: `Kafka Connect keeps in a topic of the old cluster how far each source was read. A connector of the same name on the new cluster
knows nothing of it: it copies everything again, or begins now and skips what came meanwhile. And a connector that says \`STOPPED\` may for a
moment have a task that still writes.`,
    signalbox: `\`connect.offsetsCopy\` carries the position while the connector is stopped at both places and has no task left
(\`SB-ACT-CONNECT-RUNNING\`), to the letter, and reads it back (\`SB-ACT-CONNECT-DIFFER\`). Undo gives back the position of before, or none.`,
  },
  T61: {
    title: 'Taking a compacted topic for history',
    guide: `old messages stay in the old cluster.`,
    happens: `a compacted topic is not history but the present state: whoever starts on the new cluster starts without it.`,
    signalbox: `\`kafka.topicsMatch\` counts topics whose \`cleanup.policy\` has \`compact\`, and names them.`,
  },
  T62: {
    title: 'Taking a topic of the same name for the same topic',
    guide: `the destination has the topics.`,
    happens: `with another number of partitions the same key lands in another partition, and order by key is lost; with another
\`cleanup.policy\` messages go that had to stay.`,
    signalbox: `\`kafka.topicsMatch\` compares both on both clusters (\`partitionsDiffer\`, \`policyDiffers\`, and \`differences\` in words).`,
  },
  T63: {
    title: 'Switching producers before the way back is closed',
    guide: `first "switch all of the external producers, like CDCs, to the new Kafka instance", then the services.`,
    happens: `when anything fails after the first step, services stay with the old cluster, and what producers have written
meanwhile is on the new one, where nobody reads it. It can neither be given back nor be taken along.`,
    signalbox: `producers are *held* until the point of no return and released at the new cluster after it. A fence looks that nothing lies in
the topics there: who was switched too early stops the sequence.`,
  },
};
