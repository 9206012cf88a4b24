import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../rig/needs.ts';
import { run } from '../rig/run.ts';
import { disk, makeSealedFleet, stateRef, type SealedFleet } from '../rig/sealed-state.ts';
import { onTerminal } from '../rig/terminal.ts';
import { program } from '../rig/world.ts';

describeWith(['age'], 'what a host has sealed in its state', () => {
  let fleet: SealedFleet;
  beforeAll(async () => void (fleet = await makeSealedFleet()));
  afterEach(() => fleet.reset());
  afterAll(() => fleet.world.remove());

  test('its ledger is shown to a reader whole, and safe to show', async () => {
    const tip = await fleet.record({ 'ledger.age': await fleet.sealedLedger() });
    const shown = await fleet.autark('ledger', 'show', 'web1');
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout).toMatch(/^record +3 of \d{4}-/m);
    expect(shown.stdout).toContain(`with record 1, in installation ${'a'.repeat(32)}
`);
    for (const text of [
      'EVIL disk',
      'S5Y1',
      '10.5 GiB (11274289152 bytes)',
      'wwn-0x5',
      'gpt',
      '512 MiB at 1 MiB',
    ])
      expect(shown.stdout).toContain(text);
    expect(shown.stdout).toMatch(/signatures +sda1 +vfat at 54 +AB12-CD34 +“boot”/);
    expect(shown.stdout).toMatch(/backups +table-(5d41){4} +of ata-EVIL, +taken 2026-11-28T08:00:00Z\n/);
    expect(shown.stdout).toMatch(/used +sda1 is mounted at \/boot\n/);
    expect(shown.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);

    const json = await fleet.autark('ledger', 'show', 'web1', '--json');
    expect(json.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    const { at } = JSON.parse(await fleet.server.git(['show', `${tip}:status.json`])) as { at: string };
    const expected = { format: 1, host: 'web1', record: { seq: 3, id: tip, at }, ledger: fleet.ledgerOf() };
    expect(JSON.parse(json.stdout)).toEqual(expected);
  });

  test('what the host itself sealed at its first deployment is shown', async () => {
    await fleet.server.git(['update-ref', stateRef, fleet.own]);
    const shown = await fleet.autark('ledger', 'show', 'web1', '--json');
    expect(shown.code, shown.stderr).toBe(0);
    const { fleet: id, readers } = fleet.ledgerOf();
    expect(JSON.parse(shown.stdout)).toMatchObject({
      record: { seq: 1, id: fleet.own },
      ledger: { format: 1, fleet: id, host: 'web1', readers, begun: { seq: 1 } },
    });
  });

  test('a disk without signatures is never called empty, and none at all is said', async () => {
    const bare = {
      ...disk,
      name: 'sdb',
      partitions: [],
      signatures: [],
      table: null,
      serial: null,
      uses: [],
    };
    await fleet.record({ 'ledger.age': await fleet.sealedLedger({ disks: [bare] }) });
    const { stdout } = await fleet.autark('ledger', 'show', 'web1');
    expect(stdout).toMatch(/signatures +none recognised, which does not mean that it is empty\n/);
    expect(stdout).toMatch(/serial +none\n/);
    await fleet.record({ 'ledger.age': await fleet.sealedLedger({ disks: [] }) });
    expect((await fleet.autark('ledger', 'show', 'web1')).stdout).toContain('No disks were found.');
  });

  test('where there is none yet, that is said, and what to do', async () => {
    const none = await fleet.autark('ledger', 'show', 'web1');
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(/web1 has no ledger yet: its newest record, 2, holds none .*first record/);
    const backups = await fleet.autark('backup', 'list', 'web1');
    expect(backups).toMatchObject({ code: 0, stdout: '' });
    expect(backups.stderr).toContain('web1 has no backups');
    expect((await fleet.autark('ledger', 'show', 'web2')).stderr).toContain('no host is called web2');
    expect((await fleet.autark('ledger', 'show', '../main')).code).toBe(1);
  });

  test('nobody else opens it, and is told who can', async () => {
    await fleet.record({
      'ledger.age': await fleet.sealedLedger(),
      'backups/md.age': await fleet.sealed('ARRAY'),
    });
    for (const args of [
      ['ledger', 'show', 'web1'],
      ['backup', 'show', 'web1', 'md'],
    ]) {
      const ran = await fleet.autark(...args, '--identity', '../outsider');
      expect(ran).toMatchObject({ code: 62, stdout: '' });
      expect(ran.stderr).toMatch(/sealed to 2 other keys .*readers.*--identity/);
      expect(ran.stderr).not.toMatch(/rekey|secret set/);
    }
  });

  test('the host’s own key opens it, and the clone shows what it knows without a server', async () => {
    await fleet.record({ 'ledger.age': await fleet.sealedLedger() });
    expect((await fleet.autark('ledger', 'show', 'web1')).code).toBe(0);
    const away = `${fleet.world.remote}.away`;
    await run('mv', [fleet.world.remote, away], { env: fleet.world.env });
    try {
      const own = ['--identity', fleet.host.path('var/lib/autark/key')];
      const offline = await fleet.autark('ledger', 'show', 'web1', '--offline', '--json', ...own);
      expect(offline.code, offline.stderr).toBe(0);
      expect((JSON.parse(offline.stdout) as { ledger: unknown }).ledger).toEqual(fleet.ledgerOf());
      expect((await fleet.autark('ledger', 'show', 'web1')).code).toBe(50);
    } finally {
      await run('mv', [away, fleet.world.remote], { env: fleet.world.env });
    }
  });

  test('backups are listed with since when they are what they are, and come out byte for byte', async () => {
    const header = new Uint8Array(Buffer.from('LUKS\xba\xbe\x00\x1b]0;x\x07', 'latin1'));
    const table = 'label: gpt\ndevice: /dev/sda\n';
    const unchanged = { 'backups/table-sda.age': await fleet.sealed(table) };
    const third = await fleet.record({
      ...unchanged,
      'backups/luks-header-1.age': await fleet.sealed('before'),
    });
    const files = {
      'backups/luks-header-1.age': await fleet.sealed(header),
      'backups/lvm-vg0.age': await fleet.sealed(''),
    };
    const fourth = await fleet.record(files);

    const json = JSON.parse((await fleet.autark('backup', 'list', 'web1', '--json')).stdout) as Listed;
    const size = async (path: string) =>
      Number(await fleet.server.git(['cat-file', '-s', `${fourth}:${path}`]));
    expect(json).toMatchObject({ format: 1, host: 'web1', record: { seq: 4, id: fourth } });
    expect(json.backups).toMatchObject([
      { name: 'luks-header-1', size: await size('backups/luks-header-1.age'), since: { seq: 4, id: fourth } },
      { name: 'lvm-vg0', size: await size('backups/lvm-vg0.age'), since: { seq: 4, id: fourth } },
      { name: 'table-sda', size: await size('backups/table-sda.age'), since: { seq: 3, id: third } },
    ]);
    const listed = (await fleet.autark('backup', 'list', 'web1')).stdout;
    expect(listed).toMatch(/^table-sda +\d+ B +record 3, \d{4}-\S+Z$/m);

    expect((await fleet.autark('backup', 'show', 'web1', 'table-sda')).stdout).toBe(table);
    expect((await fleet.autark('backup', 'show', 'web1', 'lvm-vg0')).stdout).toBe('');
    const { clone, env, dir } = fleet.world;
    const call = '"$0" "$1" backup show web1 luks-header-1 > ../header';
    await run('sh', ['-c', call, process.execPath, program], { cwd: clone, env });
    expect(await run('sha256sum', [join(dir, 'header')], { env })).toMatchObject({
      stdout: (await run('sh', ['-c', 'cat | sha256sum'], { env, input: header })).stdout.replace(
        '-',
        join(dir, 'header'),
      ),
    });

    const refused = await onTerminal(fleet.world, ['backup', 'show', 'web1', 'luks-header-1']);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('> FILE');
    expect(refused.stdout).not.toMatch(/LUKS|\u001b\]/);
    expect((await onTerminal(fleet.world, ['backup', 'show', 'web1', 'table-sda'])).stdout).toContain(table);

    const missing = await fleet.autark('backup', 'show', 'web1', 'lvm-vg1');
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/no backup called lvm-vg1.*try lvm-vg0/);
  });
});

interface Listed {
  readonly backups: readonly unknown[];
}
