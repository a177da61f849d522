// A mistake on purpose: the journal's sync is a lie. What was written reaches the file a moment later; whoever dies before
// that has lost it, and has told others that it was safe.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const LATE_MS = 2_000;
const isJournal = (fd: number) => fs.readlinkSync(`/proc/self/fd/${fd}`).endsWith('/journal.log');

const write = fs.writeSync;
Object.assign(fs, {
  writeSync(fd: number, data: Buffer, offset: number): number {
    if (!isJournal(fd)) return write(fd, data, offset);
    setTimeout(() => write(fd, data, offset), LATE_MS);
    return data.length - offset;
  },
});
syncBuiltinESMExports();
