import type { AgentBus } from '@signalbox/bus';
import { type Answer, HealthReply, LogEntry, Query, Report, Request, type RunEvent } from '@signalbox/protocol';
import { open, seal } from '@signalbox/protocol/crypto';
import { keyOf } from './keys.ts';
import { HONEST, type Planted } from './planted.ts';
import { changed } from './planted-bus.ts';
import { LEADER_PLANTS } from './plants-leader.ts';
import { VOTE_PLANTS } from './plants-votes.ts';
import { ACTIVE } from './tools.ts';

const anybody = { trusts: () => true };

/** Both clocks that an agent looks at are slow by as much, so that it does not find them apart. */
const EARLIER_MS = 300_000;
/** A beat is 2 s, a command may wait for 60 s, and 5 s later it is taken back. */
const LATE_BEATS = 31;

/**
 * For each invariant a mistake that breaks it. They stand between the real code and the simulated world, so the product
 * is not changed; a simulator that does not find them would not find such a mistake in the product either.
 */
export const PLANTS: Readonly<Record<string, { readonly rule: string; readonly planted: Planted }>> = {
  ...VOTE_PLANTS,
  ...LEADER_PLANTS,
  'a sync that does not wait for the disk': {
    rule: 'I1',
    planted: { ...HONEST, storage: (storage) => ({ ...storage, sync: async () => {} }) },
  },
  'a journal that is forgotten at each start': {
    rule: 'I1',
    planted: { ...HONEST, storage: (storage) => ({ ...storage, read: () => firstLine(storage.read()) }) },
  },
  'a clone that takes itself for the host': {
    rule: 'I1',
    planted: { ...HONEST, self: (self, { name }) => ({ ...self, machine: `machine-${name}` }) },
  },
  'an agent that is installed anew and gives its journal the old name': {
    rule: 'I1',
    planted: { ...HONEST, self: (self, { name }) => ({ ...self, journal: `journal-${name}` }) },
  },
  'no answer is taken for a good sample': {
    rule: 'I2',
    planted: answering(({ probe }) => (probe === ACTIVE ? undefined : { ok: true })),
  },
  'the run turns round behind a point of no return': {
    rule: 'I3',
    planted: rewriting((events) => {
      const reason = { code: 'SB-SIM', class: 'terminal' as const, message: 'back', next: 'none' };
      return [...events, { type: 'UndoStarted', reason }];
    }),
  },
  'an undo that does not last': {
    rule: 'I4',
    planted: {
      ...HONEST,
      agentBus: (bus, host) =>
        changed(bus, {
          report: async (run, data) => {
            const { payload } = open(data, { kind: 'report', schema: Report, ...anybody });
            await bus.report(run, data);
            if (payload.type === 'outcome' && payload.direction === 'undo')
              setImmediate(() => host.marks.set(payload.step, 'applied'));
          },
        }),
    },
  },
  'a probe that says done without looking': {
    rule: 'I5',
    planted: {
      ...HONEST,
      toolbox: (tools) => ({
        ...tools,
        actionByName: (name) => {
          const action = tools.actionByName(name);
          return action && { ...action, probe: async () => 'applied' };
        },
      }),
    },
  },
  'an append that asks nobody who was first': {
    rule: 'I6',
    planted: {
      ...HONEST,
      coordinatorBus: (bus) => ({
        ...bus,
        append: async (run, data) => await bus.append(run, data, (await bus.lastEntry(run))?.sequence ?? 0),
      }),
    },
  },
  'a clock that is believed to be earlier': {
    rule: 'I7',
    planted: {
      ...HONEST,
      agentClock: (clock) => ({ ...clock, nowMs: () => clock.nowMs() - EARLIER_MS }),
      agentBus: (bus) => earlier(bus),
    },
  },
  'an append that is acknowledged and not stored': {
    rule: 'I8',
    planted: {
      ...HONEST,
      coordinatorBus: (bus) => ({
        ...bus,
        append: async (run, data, expected) => {
          const { events } = entryOf(data);
          if (!events.some(({ type }) => type === 'NoteAdded')) return await bus.append(run, data, expected);
          return { sequence: expected + 1 };
        },
      }),
    },
  },
  'receipts that are not redacted': {
    rule: 'I9',
    planted: {
      ...HONEST,
      workbench: (bench) => ({
        ...bench,
        open: (request) => ({ ...bench.open(request), redact: (value) => value }),
      }),
    },
  },
  'a proof that is given without looking': {
    rule: 'I10',
    planted: impatient(answering(({ probe }) => (probe === ACTIVE ? { active: false } : undefined))),
  },
  'accepted is taken for done': {
    rule: 'I11',
    planted: {
      ...HONEST,
      agentBus: (bus, host) =>
        changed(bus, {
          report: async (run, data) => {
            const { payload } = open(data, { kind: 'report', schema: Report, ...anybody });
            if (payload.type !== 'accepted') return await bus.report(run, data);
            const { before: _before, ...accepted } = payload;
            const done = {
              startedAtMs: payload.sentAtMs,
              durationMs: 1,
              outputBytes: 0,
              outcome: { status: 'succeeded' },
            };
            return await bus.report(run, seal('report', { ...accepted, ...done, type: 'outcome' }, keyOf(host.name)));
          },
        }),
    },
  },
};

/** A bus whose questions to hosts are answered by somebody else, when `values` has an answer. */
function answering(values: (query: { probe: string }) => Record<string, boolean> | undefined): Planted {
  return {
    ...HONEST,
    coordinatorBus: (bus) => ({
      ...bus,
      query: async (host, verb, data, timeoutMs) => {
        const { payload } = open(data, { kind: 'query', schema: Query, ...anybody });
        const invented = payload.verb === 'sample' ? values(payload) : undefined;
        if (!invented) return await bus.query(host, verb, data, timeoutMs);
        const answer: Answer = { verb: 'sample', nonce: payload.nonce, host, values: invented, tookMs: 1 };
        return seal('answer', answer, keyOf(host));
      },
    }),
  };
}

/** With people who skip what has failed instead of trying it again: only the proof stands between them and two of a kind. */
function impatient(planted: Planted): Planted {
  return {
    ...planted,
    coordinatorBus: (bus) => {
      const inner = planted.coordinatorBus(bus);
      return {
        ...inner,
        serve: (verbs, handler) =>
          inner.serve(verbs, (verb, data) => (verb === 'retry' ? handler('skip', asSkip(data)) : handler(verb, data))),
      };
    },
  };
}

function asSkip(data: Uint8Array): Uint8Array {
  const { payload } = open(data, { kind: 'request', schema: Request, ...anybody });
  return seal('request', { ...payload, verb: 'skip' }, keyOf(payload.operator));
}

/** A bus that changes what is appended once the log has passed a point of no return. */
function rewriting(change: (events: RunEvent[]) => RunEvent[]): Planted {
  let crossed = false;
  return {
    ...HONEST,
    coordinatorBus: (bus) => ({
      ...bus,
      append: async (run, data, expected) => {
        const entry = entryOf(data);
        if (entry.index === 0) crossed = false;
        const changed = crossed ? Buffer.from(JSON.stringify({ ...entry, events: change(entry.events) })) : data;
        crossed ||= entry.events.some(({ type }) => type === 'Crossed');
        return await bus.append(run, changed, expected);
      },
    }),
  };
}

function entryOf(data: Uint8Array): LogEntry {
  return LogEntry.parse(JSON.parse(Buffer.from(data).toString('utf8')));
}

/** Each command comes just after its time is over, which an agent whose clock is right refuses. */
function earlier(bus: AgentBus): AgentBus {
  let beats = 0;
  const late: { readonly atBeat: number; readonly come: () => void }[] = [];
  return changed(bus, {
    commands: (handler) =>
      bus.commands(
        (delivery) =>
          new Promise((resolve, reject) => {
            late.push({ atBeat: beats + LATE_BEATS, come: () => handler(delivery).then(resolve, reject) });
          }),
      ),
    beat: async (data) => {
      beats += 1;
      while (late[0] !== undefined && late[0].atBeat <= beats) late.shift()?.come();
      const answer = await bus.beat(data);
      if (answer === undefined) return undefined;
      const { payload } = open(answer, { kind: 'reply', schema: HealthReply, ...anybody });
      if (payload.type !== 'heard') return answer;
      return seal('reply', { ...payload, nowMs: payload.nowMs - EARLIER_MS }, keyOf('coordinator'));
    },
  });
}

function firstLine(journal: Uint8Array): Uint8Array {
  const end = Buffer.from(journal).indexOf('\n');
  return journal.subarray(0, end + 1);
}
