import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { commonFiles, unitFile } from '../rig/debian-example.ts';
import type { Files } from '../rig/fleet.ts';
import { type Lab, type LabHost, labNeeds, makeLab } from '../rig/lab.ts';
import { describeWith } from '../rig/needs.ts';
import { expectChain } from '../rig/sound.ts';

/** Milliseconds for all rounds: seconds for each of them, more on a busy machine. */
vi.setConfig({ testTimeout: 900_000, hookTimeout: 180_000 });

const seed = chooseSeed();
const rounds = 30;
/** Rounds before the one that is wanted are left out, and their moments are drawn all the same. */
const only = process.env['AUTARK_TEST_ROUND'];

/** Each round has a file of its own, so that one which is new is at stake as well as one that is replaced. */
const systemOf = (round: number, before: number): Files => ({
  'common/etc/motd': `round ${round}\n`,
  [`common/etc/round-${round}`]: `${round}\n`.repeat(2000),
  ...(round > 0 ? { [`common/etc/round-${before}`]: null } : {}),
  'common/units/round.service': unitFile(`Environment=ROUND=${round}`, 'ExecStart=/usr/bin/sleep infinity'),
});

/** What the machine shows of the round whose system it runs; anything half done shows as neither. */
const shown =
  'cat /etc/motd; ls /etc/round-* | tr "\\n" " "; cat /etc/round-* | sort -u; systemctl show --property=Environment --value round.service';
const whole = (round: number): string => `round ${round}\n/etc/round-${round} ${round}\nROUND=${round}`;
/** What was made current is a system that can be activated. */
const isWhole = 'test -s /var/lib/autark/current/system/bin/switch-to-configuration';

describeWith([...labNeeds, 'ext4'], 'a machine that loses its power', () => {
  let lab: Lab;
  let host: LabHost;
  /** Milliseconds from a push to the record on the server, with a bit to spare. */
  let span = 0;
  beforeAll(async () => {
    lab = await makeLab('autark-power');
    await lab.fleet.server.commit({ files: { ...commonFiles(), ...systemOf(0, 0) }, subject: 'Begin' });
    host = await lab.join('web1', ['--system', 'exec', '--build', 'common/build'], {
      disk: { megabytes: 512 },
    });
    await host.settles(await lab.fleet.server.head());
    const began = Date.now();
    await host.settles(await push(1, 0));
    span = (Date.now() - began) * 1.1;
  });
  afterAll(() => lab.remove());

  const push = (round: number, before: number): Promise<string> =>
    lab.fleet.server.commit({ files: systemOf(round, before), subject: `Round ${round}` });

  test('keeps what was synced, and nothing else', async () => {
    await host.must(['sh', '-c', 'echo kept >/root/kept && sync /root/kept /root && echo lost >/root/lost']);
    await host.powerCut();
    await host.boot();
    expect((await host.run(['cat', '/root/kept', '/root/lost'])).stdout).toBe('kept\n');
  });

  test(`comes back by itself with the old or the new generation, ${rounds} times (seed ${seed})`, async () => {
    const chance = seeded(seed);
    let last = 1;
    for (let round = 2; round < rounds + 2; round += 1) {
      const delay = chance() * span;
      if (only !== undefined && Number(only) !== round) continue;
      const because = `AUTARK_SEED=${seed} AUTARK_TEST_ROUND=${round} npx vitest run test/machine/power-cut.test.ts\ncut ${Math.round(delay)} ms of ${Math.round(span)} ms after the push`;
      const before = await host.records();
      const revision = await push(round, last);
      await pause(delay);
      await host.powerCut();
      await host.boot();
      try {
        expect(await host.must(['sh', '-c', `cat /etc/motd; ${isWhole}`]), because).toMatch(
          new RegExp(`^round (${last}|${round})$`),
        );
        expect(await host.settles(revision)).toBe('deployed');
      } catch (error) {
        throw new Error(`${because}\n${await host.must(['journalctl', '--unit=autark', '--boot'])}`, {
          cause: error,
        });
      }
      expect(await host.must(['sh', '-c', shown]), because).toBe(whole(round));
      const records = await host.records();
      expectChain(records, because);
      expect(records.slice(0, before.length), because).toEqual(before);
      last = round;
    }
    expect(last).toBeGreaterThan(1);
    expect(await lab.fleet.world.mustAutark(['verify'])).toMatch(/: all is well$/);
  });
});
