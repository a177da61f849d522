import { until } from '@signalbox/protocol/testing';
import { describe, expect, it } from 'vitest';
import { unitOf } from './chain.ts';
import { changesSince, takeSnapshots } from './host-snapshot.ts';
import { LAB_IS_THERE, sharedLab } from './shared-lab.ts';
import { hostStates } from './signalbox.ts';

const lab = () => sharedLab();
const bootId = async (name: string) => (await lab().host(name).run(['cat', '/proc/sys/kernel/random/boot_id'])).trim();
const online = (name: string) =>
  until(`${name} to be online`, async () => (await hostStates(lab()))[name] === 'online');

describe.runIf(LAB_IS_THERE)('the lab’s hosts', () => {
  it('run a systemd of their own with nothing failed, and an agent that the coordinator hears', async () => {
    for (const { name } of lab().hosts) await online(name);
    for (const host of lab().hosts) {
      expect((await host.exec(['systemctl', 'list-units', '--failed', '--plain', '--no-legend'])).stdout).toBe('');
    }
    expect(new Set(await Promise.all(lab().hosts.map(({ name }) => bootId(name)))).size).toBe(lab().hosts.length);
  });

  it('have a network that leads to each other and nowhere else', async () => {
    const host = lab().host('web-1');
    expect((await host.run(['ip', 'route', 'show'])).trim()).toBe(
      `10.77.0.0/24 dev host0 proto kernel scope link src ${host.address}`,
    );
    const links: { ifname: string }[] = JSON.parse(await host.run(['ip', '-json', 'link', 'show']));
    expect(links.map(({ ifname }) => ifname).sort()).toEqual(['host0', 'lo']);
  });

  it('carry no Node but the one in the packages', async () => {
    const found = await lab().host('web-1').exec(['sh', '-c', 'command -v node npm']);
    expect(found).toMatchObject({ stdout: '', exitCode: 127 });
  });

  it('come back after a reboot with everything that is enabled, under another boot id', async () => {
    const host = lab().host('mirror-1');
    const before = await bootId('mirror-1');
    await host.reboot();
    expect(await bootId('mirror-1')).not.toBe(before);
    await online('mirror-1');
  });

  it('are silent while they are cut off, and are heard again without being touched', async () => {
    const host = lab().host('mirror-1');
    await host.cut();
    await until('mirror-1 to be silent', async () => (await hostStates(lab()))['mirror-1'] === 'silent');
    await host.heal();
    await online('mirror-1');
  });

  it('are not as before when what runs on them has another environment, though every file is back', async () => {
    const host = lab().host('miner-2');
    const before = await takeSnapshots([host], unitOf);
    const dropIn = `/run/systemd/system/${unitOf(host)}.d`;
    await host.run(['mkdir', '--parents', dropIn]);
    await host.run(['sh', '-c', `printf '[Service]\\nEnvironment=MINED_FOR=me\\n' > ${dropIn}/mine.conf`]);
    const restart = async () => {
      await host.run(['systemctl', 'daemon-reload']);
      await host.run(['systemctl', 'restart', unitOf(host)]);
    };
    await restart();
    expect(await changesSince(before, unitOf)).toEqual([
      expect.stringMatching(/^miner-2: unit r3mes-miner.service environment MINED_FOR: undefined -> [0-9a-f]{64}$/),
    ]);
    await host.run(['rm', '--recursive', dropIn]);
    await restart();
    expect(await changesSince(before, unitOf)).toEqual([]);
  });

  it('lose their processes and keep their disk when the power is cut', async () => {
    const host = lab().host('mirror-1');
    host.put('/root/kept', 'kept');
    await host.run(['touch', '/run/lost']);
    await host.powerOff();
    expect(host.leader).toBeUndefined();
    await host.powerOn();
    expect(host.get('/root/kept')).toBe('kept');
    expect((await host.exec(['ls', '/run/lost'])).exitCode).not.toBe(0);
    await online('mirror-1');
    await host.run(['rm', '/root/kept']);
  });
});
