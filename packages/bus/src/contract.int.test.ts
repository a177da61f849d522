import { describe } from 'vitest';
import { busContract } from './testing/index.ts';
import { openNats } from './testing/nats.ts';

describe('NATS, as the programs rely on it', () => busContract(openNats));
