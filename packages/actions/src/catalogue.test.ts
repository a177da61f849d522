import { ActionSpec, SignalboxError } from '@signalbox/protocol';
import { LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionSpecs, actions } from './catalogue.ts';
import { ACTION_CODES } from './codes.ts';
import { actionsReference } from './reference.ts';

let host: LocalHost;
beforeEach(async () => {
  host = await LocalHost.create();
});
afterEach(() => host[Symbol.asyncDispose]());

describe('the catalogue of actions', () => {
  it('is data that survives the wire', () => {
    for (const spec of actionSpecs) expect(ActionSpec.parse(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  });

  it('names every action once, as tool.verb', () => {
    const names = actions.map((action) => action.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z]+\.[a-z][A-Za-z]*$/);
  });

  it('promises a way back exactly where there is one', () => {
    for (const { name, undo, undoes } of actions) expect(undo !== undefined, name).toBe(undoes !== undefined);
  });

  it('uses only fields of `with` in its templates', () => {
    for (const { name, does, undoes, byHand = '', touches, starts, stops, input } of actionSpecs) {
      const typed = byHand.replaceAll(/\{receipt\.[^}]+\}/g, '');
      const templates = [does, undoes, typed, starts, stops, ...touches].join(' ');
      const used = [...templates.matchAll(/\{([a-zA-Z]+)/g)].map(([, field]) => field);
      const known = Object.keys(input.properties as object);
      expect(known, name).toEqual(expect.arrayContaining(used));
    }
  });

  it('has something to type only where there is a way back', () => {
    for (const { name, byHand, undoes } of actionSpecs) if (byHand) expect(undoes, name).toBeDefined();
  });

  it('is described in docs/reference/actions.md', async () => {
    await expect(actionsReference()).toMatchFileSnapshot('../../../docs/reference/actions.md');
  });

  it('reports what cannot be found out as a problem, and lets only coded failures out', async () => {
    const exec = () => Promise.reject(new Error('agent is closing'));
    const context: LocalHost = Object.create(host, { exec: { value: exec } });
    for (const { name, check, probe } of actions.filter((action) => action.name.startsWith('systemd.'))) {
      const { problems } = await check(context, { unit: 'x.service' });
      expect(problems.length, name).toBe(1);
      const asked = probe(context, { unit: 'x.service' }, { direction: 'do', receipt: {} });
      await expect(asked).rejects.toBeInstanceOf(SignalboxError);
    }
  });

  it('has codes that begin with SB-ACT- and say what to do', () => {
    for (const [code, { means, next }] of Object.entries(ACTION_CODES)) {
      expect(code).toMatch(/^SB-ACT-[A-Z-]+$/);
      expect(means.endsWith('.') && next.endsWith('.'), code).toBe(true);
    }
  });
});
