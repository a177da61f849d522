import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalMesh, startMesh } from '@signalbox/bus';
import type { Command } from '@signalbox/protocol';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AgentProcess, type AgentProcessOptions, keepersOf, startAgentProcess } from './testing/agent-process.ts';
import { type FakeCoordinator, fakeCoordinator } from './testing/fake-coordinator.ts';

const HOST = 'h1';
const RUN = 'upgrade-1';

let mesh: LocalMesh;
let dir: string;
let coordinator: FakeCoordinator;
let agents: AgentProcess[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'signalbox-agent-'));
  mesh = await startMesh({ mesh: 'lab', agents: [HOST] });
  coordinator = await fakeCoordinator({ mesh, host: HOST, run: RUN });
  agents = [];
});

afterEach(async () => {
  for (const agent of agents) agent.kill('SIGKILL');
  await Promise.all(agents.map(({ exit }) => exit));
  await coordinator.close();
  await mesh.stop();
  rmSync(dir, { recursive: true, force: true });
});

function start(options: Partial<AgentProcessOptions> = {}): AgentProcess {
  const agent = startAgentProcess({ mesh, host: HOST, dir: join(dir, HOST), ...options });
  agents.push(agent);
  return agent;
}

/** A running agent, and a coordinator that it has heard. */
async function ready(options: Partial<AgentProcessOptions> = {}): Promise<AgentProcess> {
  const agent = start(options);
  await agent.logged('a coordinator hears this host');
  return agent;
}

/** Nobody knows any more how the processes of steps end. */
async function killKeeper(): Promise<void> {
  for (const pid of keepersOf(join(dir, HOST))) process.kill(pid, 'SIGKILL');
  await until('the end of the keeper', () => keepersOf(join(dir, HOST)).length === 0);
}

const file = (name: string) => join(dir, name);

/** Leaves one line in a file each time that it runs: the proof is counted on the host. */
function marks(name: string): string[] {
  return existsSync(file(name)) ? readFileSync(file(name), 'utf8').trim().split('\n') : [];
}
function marking(name: string, then = ':'): Command['with'] {
  return { argv: ['sh', '-c', `echo mark >> ${file(name)}; ${then}`], effect: 'idempotent' };
}

describe('a command', () => {
  it('is run, and its outcome reported with receipt and output', async () => {
    await ready();
    const command = coordinator.command({ with: { argv: ['sh', '-c', 'echo hello; echo $0 $PATH'], effect: 'read' } });
    await coordinator.send(command);
    const outcome = await coordinator.outcome(command.id);
    expect(outcome.outcome).toEqual({ status: 'succeeded', receipt: { exitCode: 0 } });
    expect(coordinator.reports.map(({ type }) => type)).toEqual(['accepted', 'outcome']);
    const text = await until('all of the output', async () => {
      const { chunks } = await coordinator.bus.readOutput(RUN, 0, 10);
      const texts = chunks.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as { text: string }).text);
      return Buffer.byteLength(texts.join('')) >= outcome.outputBytes && texts.join('');
    });
    expect(text).toBe('hello\nsh /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n');
    expect(outcome.outputBytes).toBe(Buffer.byteLength(text));
  });

  it('[I1] that comes twice is run once, and answered with the same report', async () => {
    await ready();
    const command = coordinator.command({ with: marking('once') });
    await coordinator.send(command);
    const first = await coordinator.outcome(command.id);
    // The stream knows the id; a new leader asks on another subject of the same host's lane, with other words around it.
    const settled = await coordinator.query({ verb: 'settle', nonce: 'q', commands: [command.id, 'other'] });
    expect(settled).toMatchObject({
      commands: [
        { id: command.id, state: 'ended' },
        { id: 'other', state: 'none' },
      ],
      reports: [first],
    });
    await coordinator.send(command);
    const next = coordinator.command({ step: 'next' });
    await coordinator.send(next);
    await coordinator.outcome(next.id);
    expect(marks('once')).toEqual(['mark']);
  });

  it('[I5] whose agent and keeper are killed in the middle is not run again: its process goes on, then its probe decides', async () => {
    const first = await ready();
    const command = coordinator.command({
      with: {
        ...marking('killed', `while ! test -e ${file('go')}; do sleep 0.02; done; echo done > ${file('done')}`),
        probe: { argv: ['test', '-e', file('done')] },
      },
    });
    await coordinator.send(command);
    await until('the start', () => marks('killed').length === 1);
    first.kill('SIGKILL');
    await killKeeper();
    expect(await first.exit).toBe('SIGKILL');
    const second = start();
    await second.logged('step goes on after the restart');
    writeFileSync(file('go'), '');
    const { outcome } = await coordinator.outcome(command.id);
    expect(outcome).toMatchObject({ status: 'succeeded', probed: true });
    expect(marks('killed')).toEqual(['mark']);
  });

  it('[I5] that was killed with its agent and cannot be asked about is unknown', async () => {
    const first = await ready();
    const command = coordinator.command({ with: marking('killed', `echo $$ > ${file('pid')}; exec sleep 60`) });
    await coordinator.send(command);
    const pid = await until('the pid', () => Number(marks('pid')[0]) || undefined);
    first.kill('SIGKILL');
    await killKeeper();
    await first.exit;
    process.kill(-pid, 'SIGKILL');
    start();
    const { outcome } = await coordinator.outcome(command.id);
    expect(outcome).toMatchObject({
      status: 'unknown',
      probed: 'cannot-tell',
      failure: { code: 'SB-AGENT-INTERRUPTED' },
    });
    expect(marks('killed')).toEqual(['mark']);
  });

  it('[D2] from before a reinstallation is refused', async () => {
    const first = await ready();
    const command = coordinator.command({ with: marking('reinstalled') });
    expect(await first.stop()).toBe(0);
    rmSync(join(dir, HOST, 'state'), { recursive: true });
    await ready();
    await coordinator.send(command);
    const refused = await coordinator.report('refused', command.id);
    expect(refused.failure.code).toBe('SB-AGENT-JOURNAL');
    expect(marks('reinstalled')).toEqual([]);
  });

  it('[I7] that lay in the stream until it was too late is refused', async () => {
    await ready();
    const command = coordinator.command({ with: marking('late'), notAfterMs: Date.now() - 1_000 });
    await coordinator.send(command);
    expect((await coordinator.report('refused', command.id)).failure.code).toBe('SB-AGENT-LATE');
    expect(marks('late')).toEqual([]);
  });

  it('[D2] that was withdrawn while the host was away is not started when it is back', async () => {
    const agent = await ready();
    const command = coordinator.command({ with: marking('void') });
    await agent.stop();
    await coordinator.send(command);
    const answer = coordinator.control({ type: 'void', id: 'v1', commands: [command.id], reason: 'paused' });
    await ready();
    expect(await answer).toMatchObject({ withdrawn: [command.id] });
    const next = coordinator.command({ step: 'next' });
    await coordinator.send(next);
    await coordinator.outcome(next.id);
    expect(marks('void')).toEqual([]);
  });

  it('that nobody vouches for is refused and shown with the next beat', async () => {
    await ready();
    const command = coordinator.command({ with: marking('untrusted') });
    await coordinator.send(command, createKeyPair());
    await coordinator.sendRaw('noise', Buffer.from('not JSON'));
    await until('the problems', () => {
      const codes = coordinator.beats.flatMap(({ problems }) => problems?.map(({ code }) => code) ?? []);
      return codes.includes('SB-MSG-UNTRUSTED') && codes.includes('SB-MSG-JSON');
    });
    expect(coordinator.reports).toEqual([]);
    expect(marks('untrusted')).toEqual([]);
  });
});

describe('an agent', () => {
  it('[I8] keeps a report while NATS is away, and publishes it when it is back', async () => {
    const agent = await ready();
    const command = coordinator.command({
      with: marking('away', `while ! test -e ${file('go')}; do sleep 0.02; done`),
    });
    await coordinator.send(command);
    await until('the start', () => marks('away').length === 1);
    await mesh.server.stop();
    writeFileSync(file('go'), '');
    await agent.logged('step succeeded');
    await mesh.restart();
    const { outcome } = await coordinator.outcome(command.id);
    expect(outcome.status).toBe('succeeded');
  });

  it('ends with one clear error when another one has its name', async () => {
    const failure = { code: 'SB-HOST-DUPLICATE', class: 'terminal' as const, message: 'two of them', next: 'stop one' };
    const strict = await fakeCoordinator({ mesh, host: HOST, run: 'r', reply: () => ({ type: 'refused', failure }) });
    await coordinator.close();
    const agent = start();
    expect(await agent.exit).toBe(2);
    expect(agent.stderr()).toBe('signalbox-agent: SB-HOST-DUPLICATE: two of them\n  stop one\n');
    coordinator = strict;
  });

  it('does not share its state folder', async () => {
    await ready();
    const second = start();
    expect(await second.exit).toBe(2);
    expect(second.stderr()).toContain('SB-AGENT-LOCKED');
  });

  it('stops on SIGTERM when what it runs has ended, and has reported it', async () => {
    const agent = await ready();
    const command = coordinator.command({
      with: marking('term', `while ! test -e ${file('go')}; do sleep 0.02; done`),
    });
    await coordinator.send(command);
    await until('the start', () => marks('term').length === 1);
    agent.kill('SIGTERM');
    await agent.logged('stopping');
    const late = coordinator.command({ step: 'late', with: marking('late') });
    await coordinator.send(late);
    writeFileSync(file('go'), '');
    expect(await agent.exit).toBe(0);
    expect((await coordinator.outcome(command.id)).outcome.status).toBe('succeeded');
    expect(marks('late')).toEqual([]);
    await ready();
    expect((await coordinator.outcome(late.id)).outcome.status).toBe('succeeded');
  });

  it('leaves without a step that takes too long; the next start follows it to its end', async () => {
    const agent = await ready({ config: { stopTimeout: '100ms' } });
    const command = coordinator.command({
      with: marking('long', `while ! test -e ${file('go')}; do sleep 0.02; done; exit 9`),
    });
    await coordinator.send(command);
    await until('the start', () => marks('long').length === 1);
    expect(await agent.stop()).toBe(0);
    start();
    writeFileSync(file('go'), '');
    expect((await coordinator.outcome(command.id)).outcome).toMatchObject({ status: 'failed' });
    expect(marks('long')).toEqual(['mark']);
  });

  it('waits for a mesh that is not there, says so, and can be stopped', async () => {
    await mesh.server.stop();
    const agent = start();
    await agent.logged('NATS does not answer; trying again');
    expect(await agent.stop()).toBe(0);
    expect(agent.stderr()).toBe('');
  });

  it('can be stopped while NATS is away', async () => {
    const agent = await ready();
    await mesh.server.stop();
    expect(await agent.stop()).toBe(0);
    await mesh.restart();
  });

  it('answers questions of its coordinator, and of nobody else', async () => {
    await ready();
    const sample = { verb: 'sample' as const, nonce: 'q1', probe: 'host.facts', with: {}, timeoutMs: 5_000 };
    expect(await coordinator.query(sample)).toMatchObject({ verb: 'sample', nonce: 'q1', host: HOST });
    const check = { verb: 'check' as const, nonce: 'q2', action: 'exec.run', timeoutMs: 5_000 };
    expect(await coordinator.query({ ...check, with: { argv: ['true'], effect: 'read' } })).toMatchObject({
      ...{ verb: 'check', nonce: 'q2', result: { problems: [] } },
    });
    expect(await coordinator.query({ ...check, with: { argv: [], effect: 'read' } })).toMatchObject({
      ...{ verb: 'failed', failure: { code: 'SB-AGENT-INPUT' } },
    });
    expect(await coordinator.query(sample, createKeyPair()).catch(() => undefined)).toBeUndefined();
  });
});
