import { beforeAll, it } from 'vitest';
import { makeSignaturesCheap } from './keys.ts';
import { expectBadDays } from './testing/bad-days.ts';

beforeAll(makeSignaturesCheap);

it('[I1]-[I11] hold on the days 201 to 1100', () => expectBadDays({ from: 201, seeds: 900 }));
