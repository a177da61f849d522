import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalMesh, startMesh } from '@signalbox/bus';
import { type Command, OutputChunk } from '@signalbox/protocol';
import { until } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { livingGroups } from './executor/processes.ts';
import { executionIdOf } from './loop/ask.ts';
import { type AgentProcess, keepersOf, startAgentProcess } from './testing/agent-process.ts';
import { type FakeCoordinator, fakeCoordinator } from './testing/fake-coordinator.ts';

const HOST = 'h1';
const RUN = 'upgrade-1';

let mesh: LocalMesh;
let dir: string;
let coordinator: FakeCoordinator;
let agents: AgentProcess[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'signalbox-resume-'));
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

const file = (name: string) => join(dir, name);
const lines = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), 'utf8').trim().split('\n') : []);

async function start(): Promise<AgentProcess> {
  const agent = startAgentProcess({ mesh, host: HOST, dir: join(dir, HOST) });
  agents.push(agent);
  await agent.logged('a coordinator hears this host');
  return agent;
}

async function kill(agent: AgentProcess): Promise<void> {
  agent.kill('SIGKILL');
  expect(await agent.exit).toBe('SIGKILL');
}

/** Prints numbered lines, some of them to stderr, as fast as somebody takes them, until it may end; then exits with 3. */
const COUNTING = (end: string) => `echo mark >> ${file('marks')}; i=0
  while ! test -e ${end}; do i=$((i+1)); echo "line $i"; echo $i > ${file('count')}; sleep 0.01; done
  echo over >&2; echo $i > ${file('last')}; exit 3`;

const counting = (change: Partial<Command> = {}) =>
  coordinator.command({ with: { argv: ['sh', '-c', COUNTING(file('end'))], effect: 'irreversible' }, ...change });

const count = () => Number(lines('count')[0] ?? 0);
const counted = (more: number) => {
  const wanted = count() + more;
  return until('further lines', () => count() >= wanted);
};

async function published(): Promise<OutputChunk[]> {
  const { chunks } = await coordinator.bus.readOutput(RUN, 0, 1_000);
  return chunks.map(({ data }) => OutputChunk.parse(JSON.parse(Buffer.from(data).toString())));
}

const whole = (last: number) => `${Array.from({ length: last }, (_, i) => `line ${i + 1}\n`).join('')}`;

describe('a step whose agent is killed', () => {
  it('[I1] goes on, and is followed by the next agent to its real exit, with all of its output once', async () => {
    const first = await start();
    const command = counting();
    await coordinator.send(command);
    await until('output in the stream', async () => (await published()).length > 0);
    await counted(20);
    await kill(first);
    await counted(20);
    const second = await start();
    await second.logged('step goes on after the restart');
    const before = (await published()).length;
    await until('further output in the stream', async () => (await published()).length > before);
    await kill(second);
    await counted(20);
    const third = await start();
    await third.logged('step goes on after the restart');
    writeFileSync(file('end'), '');
    const { outcome, outputBytes, durationMs } = await coordinator.outcome(command.id);
    expect(outcome).toMatchObject({ status: 'failed', failure: { code: 'SB-ACT-COMMAND-FAILED' } });
    expect(outcome.status === 'failed' && outcome.failure.message).toContain('exited with 3');
    const text = whole(Number(lines('last')[0]));
    const chunks = await until('the whole output', async () => {
      const now = await published();
      return now.at(-1)?.text === 'over\n' && now;
    });
    expect(chunks.map(({ text }) => text).join('')).toBe(`${text}over\n`);
    expect(chunks.map(({ seq }) => seq)).toEqual(chunks.map((_, i) => i));
    expect([outputBytes, lines('marks')]).toEqual([text.length + 'over\n'.length, ['mark']]);
    // From its intent on, not from the last restart.
    expect(durationMs).toBeGreaterThan(20 * 10 * 3);
  });

  it('ends while no agent is there, and its real exit is found', async () => {
    const first = await start();
    const command = counting();
    await coordinator.send(command);
    await counted(5);
    await kill(first);
    writeFileSync(file('end'), '');
    await until('its end', () => lines('last').length === 1);
    await until('the end of its keeper', () => keepersOf(join(dir, HOST)).length === 0);
    await start();
    const { outcome } = await coordinator.outcome(command.id);
    expect(outcome).toMatchObject({ status: 'failed', failure: { code: 'SB-ACT-COMMAND-FAILED' } });
    expect(lines('marks')).toEqual(['mark']);
  });

  it('[I5] together with its keeper is unknown when its exit is lost', async () => {
    const first = await start();
    const command = counting();
    await coordinator.send(command);
    await counted(5);
    for (const pid of keepersOf(join(dir, HOST))) process.kill(pid, 'SIGKILL');
    await kill(first);
    await until('the end of the keeper', () => keepersOf(join(dir, HOST)).length === 0);
    const second = await start();
    await second.logged('step goes on after the restart');
    writeFileSync(file('end'), '');
    const { outcome } = await coordinator.outcome(command.id);
    expect(outcome).toMatchObject({ status: 'unknown', failure: { code: 'SB-AGENT-INTERRUPTED' } });
    expect(lines('marks')).toEqual(['mark']);
  });

  it('keeps its time: it is over when it would have been without the restart', async () => {
    const first = await start();
    const command = counting({ timeoutMs: 8_000 });
    const sentMs = performance.now();
    await coordinator.send(command);
    await counted(5);
    await kill(first);
    await start();
    const { outcome } = await coordinator.outcome(command.id);
    expect(outcome).toMatchObject({ failure: { code: 'SB-AGENT-TIMEOUT' } });
    expect(performance.now() - sentMs).toBeGreaterThan(8_000);
    const { durationMs } = await coordinator.outcome(command.id);
    // Had it begun anew with the second agent, it would have been more than twice as long.
    expect(durationMs).toBeLessThan(15_000);
    expect(lines('marks')).toEqual(['mark']);
  });

  it('can be stopped by the next agent, with its whole tree', async () => {
    const first = await start();
    const command = counting();
    await coordinator.send(command);
    await counted(5);
    await kill(first);
    const second = await start();
    await second.logged('step goes on after the restart');
    await coordinator.control({ type: 'kill', id: 'kill-1', commands: [command.id], reason: 'enough' });
    const { outcome } = await coordinator.outcome(command.id);
    expect(outcome).toMatchObject({ failure: { code: 'SB-AGENT-KILLED' } });
    expect(livingGroups({ id: command.id, executionId: executionIdOf(command) }, [], { uncertain: true })).toEqual([]);
  });
});
