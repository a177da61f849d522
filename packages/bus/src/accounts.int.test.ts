import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STREAMS, subjects } from '@signalbox/protocol';
import type { NatsConnection } from 'nats';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { CoordinatorBus } from './port.ts';
import { bytes, type Lab, MESH, startLab, text, until } from './test-fixture.ts';

const s = subjects(MESH);
const HOUR_MS = 3_600_000;

/** How a NATS comes to know who may do what. */
const WAYS = [{ by: 'a configuration file' }, { by: 'operator and JWT with the full resolver', operatorMode: true }];

/** Everything that a1 may publish on. */
const MAY_PUBLISH = [
  '$JS.API.CONSUMER.MSG.NEXT.CMD.a1',
  '$JS.API.CONSUMER.MSG.NEXT.CTL.a1',
  '$JS.ACK.CMD.a1.1.1.1.1.0',
  '$JS.ACK.CTL.a1.1.1.1.1.0',
  s.report('a1', 'run-1'),
  s.output('run-1', 'step', 'a1'),
  s.health('a1'),
];

/** Replies that would do harm if the server's own answer went there. */
const DANGEROUS = [
  '$JS.API.STREAM.DELETE.RUN',
  '$JS.API.STREAM.PURGE.RUN',
  '$JS.API.STREAM.DELETE.CMD',
  '$JS.API.STREAM.PURGE.CMD',
  '$JS.API.STREAM.PURGE.REPORT',
  '$JS.API.CONSUMER.DELETE.CMD.a2',
  '$JS.API.CONSUMER.DELETE.CTL.a2',
  '$JS.API.CONSUMER.MSG.NEXT.CMD.a2',
  '$JS.ACK.CMD.a2.1.1.1.1.0',
  '$KV.hosts.a2',
  s.run('run-1'),
  s.command('a2', 'forged'),
  s.control('a2', 'forged'),
  s.liveCommandsOf('a2').replace('*', 'forged'),
  s.liveControlsOf('a2').replace('*', 'forged'),
  s.query('a2', 'sample'),
  s.report('a2', 'run-1'),
  s.output('run-1', 'step', 'a2'),
  s.health('a2'),
  s.request('abort'),
  s.audit('coordinator-1', 'asked'),
  s.status('run', 'run-1'),
];

/** What makes, changes, reads and ends streams and consumers. */
const STREAM_API = [
  'INFO',
  'STREAM.NAMES',
  'STREAM.CREATE.X',
  'STREAM.UPDATE.RUN',
  'STREAM.INFO.RUN',
  'STREAM.PURGE.RUN',
]
  .concat('STREAM.MSG.GET.RUN', 'STREAM.MSG.DELETE.RUN', 'DIRECT.GET.RUN', 'STREAM.SNAPSHOT.RUN', 'STREAM.RESTORE.RUN')
  .concat('CONSUMER.CREATE.RUN', 'CONSUMER.DURABLE.CREATE.RUN.x', 'CONSUMER.CREATE.CMD.a2', 'CONSUMER.NAMES.CMD')
  .map((call) => `$JS.API.${call}`);

const PAYLOADS = ['', '{}', '{"batch":5,"no_wait":true}', '+ACK'];

/** Publishes every payload on every subject with every reply. */
function publishAll(attacker: NatsConnection, subjects: readonly string[]): number {
  const attacks = subjects.flatMap((subject) =>
    DANGEROUS.flatMap((reply) => PAYLOADS.map((payload) => ({ subject, payload, reply }))),
  );
  for (const { subject, payload, reply } of attacks) attacker.publish(subject, payload, { reply });
  return attacks.length;
}

/** Sends every payload to every subject of an agent with every reply, and waits until the server has dealt with all of it. */
async function attackEverything(attacker: NatsConnection): Promise<number> {
  const attacks = publishAll(attacker, MAY_PUBLISH);
  await attacker.flush();
  // Behind the attacks in the same order: when this one is stored, they have been through.
  await attacker.request(s.report('a1', 'run-end'), 'end');
  return attacks;
}

/** What must not have changed. */
async function lookAround(lab: Lab, coordinator: CoordinatorBus) {
  const core = await lab.bare(lab.mesh.keys.coordinator);
  const jsm = await core.jetstreamManager();
  const consumer = async (stream: string, name: string) => {
    const { num_pending, num_ack_pending, ack_floor } = await jsm.consumers.info(stream, name);
    return { num_pending, num_ack_pending, floor: ack_floor.stream_seq };
  };
  const reports = await jsm.streams.info(STREAMS.reports, { subjects_filter: s.reportsOfHost('a2') });
  const outputs = await jsm.streams.info(STREAMS.outputs, { subjects_filter: s.outputsOfHost('a2') });
  const found = {
    log: (await coordinator.readRun('run-1')).map(({ data }) => text(data)),
    commands: (await jsm.streams.info(STREAMS.commands)).state.messages,
    controls: (await jsm.streams.info(STREAMS.controls)).state.messages,
    audits: (await jsm.streams.info(STREAMS.audits)).state.messages,
    hosts: [...(await coordinator.getHosts())].map(([name, data]) => [name, text(data)]),
    commandsOfA2: await consumer(STREAMS.commands, 'a2'),
    controlsOfA2: await consumer(STREAMS.controls, 'a2'),
    reportsOfA2: reports.state.subjects ?? {},
    outputsOfA2: outputs.state.subjects ?? {},
  };
  await core.close();
  return found;
}

async function fill(lab: Lab): Promise<CoordinatorBus> {
  const coordinator = await lab.coordinator();
  await coordinator.prepare(['a1', 'a2']);
  await coordinator.append('run-1', bytes('entry'), 0);
  await coordinator.putHost('a2', bytes('known'));
  for (const host of ['a1', 'a2']) {
    await coordinator.sendCommand(host, 'c:1', bytes(`for ${host}`), HOUR_MS);
    await coordinator.sendControl(host, 'v:1', bytes(`for ${host}`));
  }
  return coordinator;
}

describe.each(WAYS)('accounts, told by $by,', ({ by: _, ...how }) => {
  it('make the reply-subject attack harmless, whatever is published and wherever its reply points', async () => {
    const lab = await startLab(how);
    const coordinator = await fill(lab);
    const beats: string[] = [];
    await coordinator.onBeat(async (host) => {
      beats.push(host);
      return bytes('+ACK');
    });
    const asked: string[] = [];
    await coordinator.serve(['abort'], async (verb) => {
      asked.push(verb);
      return bytes('aborted');
    });
    const monitor = await lab.bare(lab.mesh.keys.monitor);
    const status: string[] = [];
    monitor.subscribe(s.all.status, { callback: (_, { subject }) => status.push(subject) });
    await monitor.flush();

    const before = await lookAround(lab, coordinator);
    expect(await attackEverything(await lab.bare(lab.mesh.agentKey('a1')))).toBe(616);
    expect(await lookAround(lab, coordinator)).toEqual(before);
    expect(new Set(beats)).toEqual(new Set(['a1']));
    expect(asked).toEqual([]);
    expect(status).toEqual([]);
  });

  it('make it harmless for an operator as well, whatever the coordinator answers', async () => {
    const lab = await startLab(how);
    const coordinator = await fill(lab);
    const asked: string[] = [];
    // What is answered goes to the reply, and is what an attacker would like to have there.
    await coordinator.serve(['abort', 'hosts'], async (verb, data) => {
      asked.push(verb);
      return data;
    });
    const beats: string[] = [];
    await coordinator.onBeat(async (host) => {
      beats.push(host);
      return bytes('+ACK');
    });
    const before = await lookAround(lab, coordinator);
    const operator = await lab.bare(lab.mesh.operatorKey());
    expect(publishAll(operator, [s.request('hosts')])).toBe(88);
    await operator.flush();
    expect(text((await operator.request(s.request('hosts'), 'end')).data)).toBe('end');
    // But for the few that the server drops itself.
    expect(asked.length).toBeGreaterThan(80);
    expect(new Set(asked)).toEqual(new Set(['hosts']));
    expect(await lookAround(lab, coordinator)).toEqual(before);
    expect(beats).toEqual([]);
  });

  it('keep forged deliveries and questions from the handlers of the other host', async () => {
    const lab = await startLab(how);
    const coordinator = await fill(lab);
    await coordinator.onBeat(async () => bytes('+ACK'));
    const victim = await lab.agent('a2');
    const seen: string[] = [];
    const note = (lane: string) => async (delivery: { data: Uint8Array; ack(): void }) => {
      seen.push(`${lane} ${text(delivery.data)}`);
      delivery.ack();
    };
    await victim.commands(note('command'));
    await victim.controls(note('control'));
    await victim.answer('sample', async (data) => {
      seen.push(`query ${text(data)}`);
      return bytes('answer');
    });
    await attackEverything(await lab.bare(lab.mesh.agentKey('a1')));
    expect(text(await coordinator.query('a2', 'sample', bytes('real'), 2_000))).toBe('answer');
    expect(seen.sort()).toEqual(['command for a2', 'control for a2', 'query real']);
  });
});

describe('accounts', () => {
  it('matter: with the same permissions in one account, the attack deletes the run log', async () => {
    const lab = await startLab();
    await fill(lab);
    await mergeAccounts(lab);
    const attacker = await lab.bare(lab.mesh.agentKey('a1'));
    // The end of a pull is an empty message, which is all that a request to delete a stream has to be.
    const pull = JSON.stringify({ batch: 5, no_wait: true });
    attacker.publish('$JS.API.CONSUMER.MSG.NEXT.CMD.a1', pull, { reply: '$JS.API.STREAM.DELETE.RUN' });
    const jsm = await (await lab.bare(lab.mesh.keys.coordinator)).jetstreamManager();
    await until(async () => !(await jsm.streams.names().next()).includes(STREAMS.runs));
  });
});

const Config = z.looseObject({
  accounts: z.looseObject({
    CORE: z.looseObject({ users: z.array(z.unknown()) }),
    AGENTS: z.looseObject({ users: z.array(z.unknown()) }),
  }),
});

/** Moves the agents into CORE, as a first design would have them. */
async function mergeAccounts({ mesh }: Lab): Promise<void> {
  const file = join(mesh.dir, 'nats-server.json');
  const config = Config.parse(JSON.parse(await readFile(file, 'utf8')));
  config.accounts.CORE.users.push(...config.accounts.AGENTS.users.splice(0));
  await writeFile(file, JSON.stringify(config));
  process.kill(mesh.server.pid, 'SIGHUP');
  const log = join(mesh.dir, 'nats-server.log');
  await until(async () => (await readFile(log, 'utf8')).includes('Reloaded server configuration'));
}

describe.each(WAYS)('permissions, told by $by,', ({ by: _, ...how }) => {
  interface Tries {
    hear: string[];
    speak: string[];
  }
  /** Tries all of it; what the server refuses it says, `subscription x` or `publish x`. */
  async function refusals(client: NatsConnection, { hear, speak }: Tries): Promise<string[]> {
    const said: string[] = [];
    void (async () => {
      for await (const { permissionContext } of client.status()) {
        if (permissionContext) said.push(`${permissionContext.operation} ${permissionContext.subject}`);
      }
    })();
    for (const subject of hear) client.subscribe(subject, { callback: () => {} });
    for (const subject of speak) client.publish(subject, 'x');
    await client.flush();
    await until(() => said.length >= hear.length + speak.length);
    return [...said].sort();
  }
  const all = ({ hear, speak }: Tries) =>
    [...hear.map((subject) => `subscription ${subject}`), ...speak.map((subject) => `publish ${subject}`)].sort();

  it('let an agent neither hear nor speak for another, nor touch logs, stores and operators', async () => {
    const lab = await startLab(how);
    await fill(lab);
    const hear = [
      '>',
      s.all.live,
      s.liveCommandsOf('a2'),
      s.liveControlsOf('a2'),
      s.all.commands,
      s.all.runs,
      s.all.audits,
      s.all.reports,
      s.all.status,
      s.queriesOf('a2'),
      `_INBOX_${lab.mesh.agentKey('a2').publicKey}.>`,
      '_INBOX.>',
    ];
    const speak = [...DANGEROUS, ...STREAM_API, '$SRV.PING', '$KV.hosts.a1'];
    const agent = await lab.bare(lab.mesh.agentKey('a1'));
    expect(await refusals(agent, { hear, speak })).toEqual(all({ hear, speak }));
  });

  it('let a monitor hear status events and do nothing else', async () => {
    const lab = await startLab(how);
    const coordinator = await fill(lab);
    const monitor = await lab.bare(lab.mesh.keys.monitor);
    const events: string[] = [];
    monitor.subscribe(s.all.status, { callback: (_, { subject }) => events.push(subject) });
    await monitor.flush();
    coordinator.publishStatus('run', 'run-1', bytes('{}'));
    await until(() => events.length === 1);
    expect(events).toEqual([s.status('run', 'run-1')]);
    const hear = ['>', s.all.live, s.all.runs, s.all.audits, s.all.requests];
    const speak = [...DANGEROUS, ...STREAM_API, s.health('a1'), '$SRV.PING'];
    expect(await refusals(monitor, { hear, speak })).toEqual(all({ hear, speak }));
  });

  it('let an operator ask the coordinator and hear status events, and nothing else', async () => {
    const lab = await startLab(how);
    await fill(lab);
    const hear = ['>', s.all.live, s.all.runs, s.all.audits, s.all.requests, '_INBOX.>'];
    const speak = [...DANGEROUS.filter((subject) => subject !== s.request('abort')), ...STREAM_API, '$SRV.PING'];
    const operator = await lab.bare(lab.mesh.operatorKey());
    expect(await refusals(operator, { hear, speak })).toEqual(all({ hear, speak }));
  });
});
