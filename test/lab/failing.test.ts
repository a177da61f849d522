import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { failingAfter } from './hosts/failing.ts';

const steps = (text: string | undefined) => parse(text ?? '').spec.steps;

describe('a runbook that fails on purpose', () => {
  it('does so right behind a step, on the host that is meant and with the role that the step has', () => {
    const files = failingAfter('node-upgrade', 'miners-stopped', 'miner-2');
    const [, stopped, fails] = steps(files.get('node-upgrade.yaml'));
    expect(stopped.id).toBe('miners-stopped');
    expect(fails).toMatchObject({ id: 'it-fails', hosts: 'miners', do: 'exec.run', with: { effect: 'read' } });
    expect(fails.with.argv).toContain('miner-2');
  });

  it('has the role of a gate that is declared elsewhere', () => {
    const files = failingAfter('node-upgrade', 'chain-moves', 'node-1');
    expect(steps(files.get('node-upgrade.yaml'))).toContainEqual(
      expect.objectContaining({ id: 'it-fails', hosts: 'node' }),
    );
  });

  it('does so deep in what it includes, and leaves the rest as it is', () => {
    const files = failingAfter('platform-upgrade', 'backend/unit-stopped', 'backend-1');
    const written: { steps?: { id: string }[] }[] = steps(files.get('parts/backend-release.yaml'));
    const groups = written.map(({ steps: inside = [] }) => inside.map(({ id }) => id));
    expect(groups).toContainEqual(['unit-stopped', 'it-fails', 'container-stopped']);
    expect([...files.keys()]).toEqual(['platform-upgrade.yaml', 'parts/backend-release.yaml']);
  });

  it('says so when there is no such step', () => {
    expect(() => failingAfter('node-upgrade', 'nowhere', 'node-1')).toThrow('node-upgrade.yaml has no step nowhere');
  });
});
