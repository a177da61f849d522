import { setFlagsFromString } from 'node:v8';

/**
 * Imported first, for its effect. V8 lets the space for young objects grow to 2 x 16 MB under load and keeps it; an agent
 * has nothing to win by that. Measured over 400 steps: 106 MB resident without, under 80 with it, steps no slower.
 */
setFlagsFromString('--semi-space-growth-factor=1');
