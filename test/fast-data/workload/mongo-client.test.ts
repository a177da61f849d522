import { freePorts } from '@signalbox/protocol/testing';
import { describe, expect, it } from 'vitest';
import { sayTo } from '../../lab/child.ts';
import { workload } from '../world.ts';

describe('a service of the stage that no database answers when it starts', () => {
  it.each(['reader', 'writer'])('ends, so that it is started again: %s', async (name) => {
    const [port] = await freePorts(1);
    const [, program] = workload(name);
    const env = { MONGODB_URL: `mongodb://127.0.0.1:${port}/?replicaSet=dst` };
    expect(await sayTo([program], { env })).toMatchObject({ exitCode: 1, stderr: '' });
  });
});
