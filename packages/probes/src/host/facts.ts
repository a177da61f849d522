import { arch, cpus, freemem, release, totalmem, uptime } from 'node:os';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';

const With = z.strictObject({});

export const hostFacts = defineProbe<z.infer<typeof With>>({
  name: 'host.facts',
  version: 1,
  summary: 'Operating system, processors, memory and disks of the host.',
  schema: With,
  values: {
    os: { type: 'string', help: 'distribution and release' },
    kernel: { type: 'string', help: 'release of the kernel' },
    arch: { type: 'string', help: 'x64, arm64, ...' },
    cpus: { type: 'number', help: 'processors' },
    memoryBytes: { type: 'number', unit: 'bytes', help: 'in all' },
    memoryFreeBytes: { type: 'number', unit: 'bytes', help: 'free' },
    uptimeSeconds: { type: 'number', unit: 's', help: 'since the host was started' },
    disks: { type: 'object', help: 'for each mount point { sizeBytes, freeBytes }' },
  },

  async sample() {
    // Loaded when somebody asks: an idle agent does without it.
    const { fsSize, osInfo } = await import('systeminformation');
    const [system, mounts] = await Promise.all([osInfo(), fsSize()]);
    return {
      os: `${system.distro} ${system.release}`.trim(),
      kernel: release(),
      arch: arch(),
      cpus: cpus().length,
      memoryBytes: totalmem(),
      memoryFreeBytes: freemem(),
      uptimeSeconds: Math.round(uptime()),
      disks: Object.fromEntries(
        mounts.map(({ mount, size, available }) => [mount, { sizeBytes: size, freeBytes: available }]),
      ),
    };
  },
});
