import { beforeAll, it } from 'vitest';
import { makeSignaturesCheap } from './keys.ts';
import { expectBadDays } from './testing/bad-days.ts';

beforeAll(makeSignaturesCheap);

it('[I1]-[I11] hold on the days 1101 to 2000', () => expectBadDays({ from: 1101, seeds: 900 }));
