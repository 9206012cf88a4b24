import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Ledger } from '../../shared/record/ledger.ts';
import { formatPublicKey } from '../../shared/trust/ssh-key.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, keyAt, makeDeployed, makeFleet, newest } from '../rig/fleet.ts';
import { keepState, loseAllButKeys } from '../rig/lives.ts';
import { forge } from '../rig/forged.ts';
import { describeWith } from '../rig/needs.ts';
import { must, run } from '../rig/run.ts';
import { expectAtRest } from '../rig/sound.ts';

describeWith(['age'], 'a host’s ledger', () => {
  let fleet: Fleet & { host: FleetHost };
  let host: FleetHost;
  beforeEach(async () => {
    fleet = await makeDeployed('autark-ledger');
    host = fleet.host;
  });
  afterEach(() => fleet.world.remove());

  const deploy = async (motd: string, files = {}) => {
    await fleet.server.commit({ files: { ...execHost('web1', motd), ...files }, subject: motd });
    const ran = await host.agent();
    expectAtRest(host, ran.stderr);
    return ran;
  };
  const blob = async (): Promise<string> =>
    fleet.server.git(['rev-parse', 'refs/heads/state/web1:ledger.age']);
  const sealed = (): Promise<string> =>
    fleet.server.git(['cat-file', 'blob', 'refs/heads/state/web1:ledger.age']);
  const openedWith = async (identity: string): Promise<Ledger> =>
    JSON.parse(
      await must('age', ['--decrypt', '--identity', identity], { input: `${await sealed()}\n` }),
    ) as Ledger;
  const own = (): string => host.path('var/lib/autark/key');

  test('is sealed to the host and the readers, from its first record on', async () => {
    const ledger = await openedWith(own());
    expect(ledger).toEqual(await openedWith(fleet.world.adminKey));
    const { status } = await newest(host);
    const keys = [own(), fleet.world.adminKey].map((file) => formatPublicKey(keyAt(file).publicBlob));
    expect(ledger).toMatchObject({
      ...{ format: 1, host: 'web1', fleet: (status as unknown as Ledger).fleet },
      begun: { seq: 1, installation: status.installation },
      ...{ disks: [], backups: {} },
    });
    for (const key of keys) expect(ledger.readers).toContain(key);
    const stranger = `${host.root}.stranger`;
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', stranger]);
    const refused = await run('age', ['--decrypt', '--identity', stranger], { input: `${await sealed()}\n` });
    expect(refused.code).not.toBe(0);
    // The host keeps the very bytes, for root alone.
    const kept = host.path('var/lib/autark/state');
    expect(readFileSync(`${kept}/ledger.age`, 'utf8').trim()).toBe((await sealed()).trim());
  });

  test('that cannot be sealed is in the next record, with the reason', async () => {
    // fleet.yaml takes no such reader; an agent that read it before it was refused has it in its journal.
    const bad = `age1${'q'.repeat(58)}`;
    const place = host.path('var/lib/autark/journal.json');
    const journal = JSON.parse(host.journal()) as { readers: readonly string[] };
    writeFileSync(place, JSON.stringify({ ...journal, readers: [...journal.readers, bad] }));
    const before = await blob();
    expect((await deploy('two')).code).toBe(0);
    const record = await newest(host);
    expect(record.status.reports).toEqual([expect.stringMatching(/the ledger.*nothing can be sealed.*copy/)]);
    expect(await blob()).toBe(before);
  });

  test('is there with a host’s first record, also where that one says that it is held', async () => {
    const late = await makeFleet('autark-ledger-paused');
    try {
      const paused = await late.join('web1');
      const yaml = late.fleetYaml('web1', ['paused: { reason: later }']);
      await late.server.commit({ files: { ...execHost('web1', 'hello'), 'fleet.yaml': yaml } });
      expect((await paused.agent()).code).toBe(10);
      const { id, status } = await newest(paused);
      expect(status.outcome.event).toBe('paused');
      const input = `${await late.server.git(['cat-file', 'blob', `${id}:ledger.age`])}\n`;
      const key = paused.path('var/lib/autark/key');
      const ledger = JSON.parse(await must('age', ['--decrypt', '--identity', key], { input })) as Ledger;
      expect(ledger.begun).toEqual({ seq: 1, installation: status.installation });
    } finally {
      await late.world.remove();
    }
  });

  test('is sealed anew when its readers change, and not otherwise', async () => {
    const before = await blob();
    expect((await deploy('two')).code).toBe(0);
    expect((await host.agent()).code).toBe(0);
    expect(await blob()).toBe(before);
    const reader = `${host.root}.reader`;
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', reader]);
    const line = readFileSync(`${reader}.pub`, 'utf8').trim();
    const yaml = (await fleet.server.git(['show', 'refs/heads/main:fleet.yaml'])).replace(
      /^readers:.*$/m,
      `$&\n  - ${line}`,
    );
    expect((await deploy('three', { 'fleet.yaml': `${yaml}\n` })).code).toBe(0);
    expect(await blob()).not.toBe(before);
    expect((await openedWith(reader)).begun).toEqual((await openedWith(own())).begun);
  });

  test('comes back from Git to a machine that lost all but its key, and says of which life it is', async () => {
    const before = await openedWith(own());
    loseAllButKeys(host);
    expect((await host.resume()).code).toBe(0);
    const ran = await deploy('after');
    expect(ran.code, ran.stderr).toBe(0);
    const after = await openedWith(own());
    expect(after.begun).toEqual(before.begun);
    expect((await newest(host)).status.installation).not.toBe(before.begun.installation);
  });

  test('is that of the server on a machine that was restored', async () => {
    const kept = keepState(host, 'kept');
    // A newer agent wrote something that this one does not know, under the host's own key.
    await rewrite((ledger) => ({ ...ledger, later: ['kept'] }));
    expect((await deploy('two')).code).toBe(0);
    expect(await openedWith(own())).toMatchObject({ later: ['kept'] });
    kept.restore();
    const ran = await deploy('three');
    expect(ran.code, ran.stderr).toBe(0);
    expect(await openedWith(own())).toMatchObject({ later: ['kept'] });
  });

  test('is sealed to the next key before that is taken, and says the same under it', async () => {
    const before = await openedWith(own());
    const file = host.path('etc/autark/new_key');
    const offered = await fleet.world.autark(['enroll', '--new-key', file, '--root', host.root]);
    expect(offered.code, offered.stderr).toBe(0);
    const { successor } = JSON.parse(host.journal()) as { successor: { key: string; genesis: string } };
    const yaml = (await fleet.server.git(['show', 'refs/heads/main:fleet.yaml']))
      .replace(/^( +key: ).*$/m, `$1${successor.key}`)
      .replace(/^( +genesis: ).*$/m, `$1${successor.genesis}`);
    const ran = await deploy('under the new key', { 'fleet.yaml': `${yaml}\n` });
    expect(ran.code, ran.stderr).toBe(0);
    expect((await host.agent()).code).toBe(0);
    expect((await openedWith(file)).begun).toEqual(before.begun);
    await expect(openedWith(own())).rejects.toThrow();
  });

  test('one that was damaged here comes from the newest record, before that is one with the damage', async () => {
    const before = await blob();
    damage();
    writeFileSync(host.path('var/lib/autark/journal.json'), forgetDisks(host.journal()));
    const ran = await deploy('two');
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toMatch(/the ledger was taken from record [0-9a-f]{40}: /);
    expect(await blob()).toBe(before);
  });

  test('one that nobody can open stops no deployment, is said, and is not replaced by an empty one', async () => {
    const bytes = damage();
    await forge(fleet.server, host, { files: { 'ledger.age': 'age-encryption.org/v1\n' } });
    expect((await host.resume()).code).toBe(0);
    const ran = await deploy('three');
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toMatch(/ledger\.age/);
    expect(readFileSync(host.path('var/lib/autark/state/ledger.age'))).toEqual(bytes);
    expect(host.motd()).toBe('three');
  });

  test('what a killed writer left beside it is no part of a record', async () => {
    const folder = host.path('var/lib/autark/state');
    cpSync(`${folder}/ledger.age`, `${folder}/backups/.lvm-vg0.age.1.2.0123456789abcdef.autark-tmp`);
    cpSync(`${folder}/ledger.age`, `${folder}/notes.txt`);
    expect((await deploy('two')).code).toBe(0);
    expect(readdirSync(folder)).toContain('notes.txt');
    expect(await fleet.server.git(['ls-tree', '-r', '--name-only', 'refs/heads/state/web1'])).toBe(
      'ledger.age\nstatus.json',
    );
  });

  function damage(): Buffer {
    const path = host.path('var/lib/autark/state/ledger.age');
    const bytes = readFileSync(path);
    bytes.fill(0, 100, 140);
    writeFileSync(path, bytes);
    return bytes;
  }

  async function rewrite(change: (ledger: Ledger) => object): Promise<void> {
    const ledger = await openedWith(own());
    const recipients = ledger.readers.flatMap((key) => ['--recipient', key]);
    const input = JSON.stringify(change(ledger));
    const path = host.path('var/lib/autark/state/ledger.age');
    writeFileSync(path, await must('age', ['--armor', ...recipients], { input }));
  }
});

/** The next cycle looks at the disks again, as after a day. */
function forgetDisks(journal: string): string {
  return JSON.stringify({ ...(JSON.parse(journal) as object), disks: null });
}
