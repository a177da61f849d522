import { expect, it } from 'vitest';
import { diagnosisScreen } from './diagnosis.ts';

it('puts what one looks at first on one screen', () => {
  const values = {
    units: {
      'r3mes-backend.service': {
        activeState: 'failed',
        subState: 'failed',
        restarts: 5,
        program: '/usr/bin/python3',
        variables: '',
      },
      'ipfs.service': { activeState: 'active', subState: 'running', restarts: 0, variables: 'HOME,PATH' },
    },
    journal: { 'r3mes-backend.service': ['DATABASE_URL is not set'] },
    disks: { '/': { sizeBytes: 10 * 2 ** 30, freeBytes: 2 ** 30 } },
  };
  expect(diagnosisScreen({ mesh: 'prod', host: 'backend-1', values }).join('\n')).toBe(`DIAGNOSE backend-1   mesh prod

units
  r3mes-backend.service  failed (failed)   restarts 5  /usr/bin/python3
  ipfs.service           active (running)  restarts 0  -

variables of ipfs.service
  HOME,PATH

disks
  /  1.0 GiB of 10.0 GiB free

last words of r3mes-backend.service
  DATABASE_URL is not set`);
  expect(diagnosisScreen({ mesh: 'prod', host: 'x', values: { units: {} } }).at(-1)).toBe(
    'no journal to read on this host',
  );
});
