import { mkdir } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { actionNamed, StandInNode } from './stand-in-node.ts';

it('names to whoever takes a new home back days later the blocks that the old one does not have', async () => {
  const node = await StandInNode.create();
  onTestFinished(() => node[Symbol.asyncDispose]());
  const action = actionNamed('remesd.newHome');
  const home = node.host.file('remes', '.remesd-new');
  const losses = (keyFrom: string) => action.loses(node.host, { home, unit: 'remesd.service', keyFrom }, {});
  expect(await losses(node.home)).toEqual([]);
  // As the key was carried into it; no node has run there yet.
  await mkdir(`${home}/data`, { recursive: true });
  await node.sign(1_200, '../.remesd-new/data');
  expect(await losses(node.home)).toEqual([]);

  await mkdir(`${home}/data/blockstore.db`);
  await node.sign(1_230, '../.remesd-new/data');
  expect(await losses(node.home)).toEqual([expect.stringMatching(/^blocks 1201 to 1230, .*remesd-new\/data/)]);
});
