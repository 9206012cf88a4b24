import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { formatPublicKey } from '../../shared/trust/ssh-key.ts';
import { forge } from '../rig/forged.ts';
import { describeWith } from '../rig/needs.ts';
import { makeSealedFleet, stateRef, type SealedFleet } from '../rig/sealed-state.ts';

describeWith(['age'], 'what is sealed in a state that is not the host’s own', () => {
  let fleet: SealedFleet;
  beforeAll(async () => void (fleet = await makeSealedFleet()));
  afterEach(() => fleet.reset());
  afterAll(() => fleet.world.remove());

  test('nothing is opened of a record that the host did not sign, though it is sealed to us', async () => {
    const files = { 'ledger.age': await fleet.sealedLedger(), 'backups/md.age': await fleet.sealed('ARRAY') };
    for (const key of [null, fleet.outsider, fleet.admin]) {
      await forge(fleet.server, fleet.host, { key, files });
      for (const args of [
        ['ledger', 'show', 'web1', '--json'],
        ['backup', 'list', 'web1'],
        ['backup', 'show', 'web1', 'md'],
      ]) {
        const ran = await fleet.autark(...args);
        expect(ran, args.join(' ')).toMatchObject({ code: 20, stdout: '' });
        expect(ran.stderr).toMatch(/nothing is opened of web1, for its newest record is not good: .*sign/);
      }
      await fleet.server.git(['update-ref', stateRef, fleet.first]);
    }
  });

  test('another host’s ledger is none, wherever it lies', async () => {
    await fleet.record({ 'ledger.age': await fleet.sealedLedger({ host: 'db1\u001b[2J' }) });
    const ran = await fleet.autark('ledger', 'show', 'web1');
    expect(ran).toMatchObject({ code: 20, stdout: '' });
    expect(ran.stderr).toContain('this is not the ledger of web1: it is that of the host db1 (state/web1');
    await fleet.record({ 'ledger.age': await fleet.sealedLedger({ fleet: 'b'.repeat(32) }) });
    const other = await fleet.autark('ledger', 'show', 'web1');
    expect(other).toMatchObject({ code: 20, stdout: '' });
    expect(other.stderr).toContain(`that of the fleet ${'b'.repeat(32)}`);
    await fleet.record({ 'ledger.age': await fleet.sealedLedger() });
    await fleet.server.git(['update-ref', 'refs/heads/state/db1', stateRef]);
    try {
      const taken = await fleet.autark('ledger', 'show', 'db1');
      expect(taken).toMatchObject({ code: 20, stdout: '' });
      expect(taken.stderr).toContain('no key is pinned for it');
    } finally {
      await fleet.server.git(['update-ref', '-d', 'refs/heads/state/db1']);
    }
  });

  test('a server that shows an older record, or none, is found out', async () => {
    await fleet.record({ 'ledger.age': await fleet.sealedLedger({ disks: [] }) });
    const older = await fleet.server.git(['rev-parse', stateRef]);
    await fleet.record({ 'ledger.age': await fleet.sealedLedger() });
    expect((await fleet.autark('ledger', 'show', 'web1')).code).toBe(0);
    await fleet.server.git(['update-ref', stateRef, older]);
    const back = await fleet.autark('ledger', 'show', 'web1');
    expect(back).toMatchObject({ code: 20, stdout: '' });
    expect(back.stderr).toMatch(
      /set back on the server to record 3: record 4 \([0-9a-f]{7}\) was seen before/,
    );
    await fleet.server.git(['update-ref', '-d', stateRef]);
    const gone = await fleet.autark('backup', 'list', 'web1');
    expect(gone).toMatchObject({ code: 20, stdout: '' });
    expect(gone.stderr).toContain('its branch is gone from the server');
  });

  test('links, folders and odd names among the backups are neither listed nor followed', async () => {
    const age = await fleet.sealed('ARRAY');
    const blob = await fleet.server.git(['hash-object', '-w', '--stdin'], age);
    const link = await fleet.server.git(['hash-object', '-w', '--stdin'], '../ledger.age');
    const inner = await fleet.server.git(['mktree'], `100644 blob ${blob}\tx.age\n`);
    const items = [
      `100644 blob ${blob}\tmd.age`,
      `100644 blob ${blob}\tmd`,
      `100644 blob ${blob}\t.age`,
      `100644 blob ${blob}\t\u001b[2J.age`,
      `100644 blob ${blob}\ta b.age`,
      `100644 blob ${blob}\tk\u00f6nig.age`,
      `100644 blob ${blob}\t${'x'.repeat(121)}.age`,
      `120000 blob ${link}\tledger.age`,
      `040000 tree ${inner}\tfolder.age`,
    ];
    const backups = await fleet.server.git(['mktree', '-z'], items.map((item) => `${item}\0`).join(''));
    await fleet.recordOf([`040000 tree ${backups}\tbackups`]);
    const listed = await fleet.autark('backup', 'list', 'web1');
    expect(listed.code, listed.stderr).toBe(0);
    expect(listed.stdout).toMatch(/^md +\d+ B +record 3, \S+\n$/);
    expect(listed.stderr).toContain('8 more in backups/ of state/web1');
    expect((await fleet.autark('backup', 'show', 'web1', 'md')).stdout).toBe('ARRAY');
    for (const name of ['ledger', 'folder', 'x'.repeat(120)]) {
      expect(await fleet.autark('backup', 'show', 'web1', name)).toMatchObject({ code: 1, stdout: '' });
    }
    for (const name of ['../ledger', 'folder.age/x', '', 'x'.repeat(121), 'a b']) {
      expect(await fleet.autark('backup', 'show', 'web1', name)).toMatchObject({ code: 2, stdout: '' });
    }
    await fleet.recordOf([`120000 blob ${link}\tbackups`]);
    expect((await fleet.autark('backup', 'list', 'web1')).stderr).toContain('web1 has no backups');
    await fleet.recordOf([`120000 blob ${link}\tledger.age`]);
    expect((await fleet.autark('ledger', 'show', 'web1')).stderr).toContain('web1 has no ledger yet');
  });

  test.each([
    ['not JSON', 'not a ledger', /the ledger cannot be read/],
    ['of a newer format', JSON.stringify({ format: 2 }), /its format is 2, newer .*upgrade autark/],
    ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), /the ledger cannot be read: it is not UTF-8/],
  ])('a ledger that is %s is an error', async (_, value, expected) => {
    await fleet.record({ 'ledger.age': await fleet.sealed(value) });
    const ran = await fleet.autark('ledger', 'show', 'web1');
    expect(ran).toMatchObject({ code: 21, stdout: '' });
    expect(ran.stderr).toMatch(expected);
  });

  test('what was swapped for something that is not sealed, or is larger than any ledger, is not opened', async () => {
    await fleet.record({ 'ledger.age': JSON.stringify(fleet.ledgerOf()) });
    const plain = await fleet.autark('ledger', 'show', 'web1');
    expect(plain).toMatchObject({ code: 62, stdout: '' });
    expect(plain.stderr).toContain('it is not an age file');
    const large = join(fleet.world.dir, 'large');
    await writeFile(large, Buffer.alloc(64 * 2 ** 20 + 1, 'age-encryption.org/v1\n'));
    const id = await fleet.server.git(['hash-object', '-w', large]);
    await fleet.recordOf([`100644 blob ${id}\tledger.age`]);
    const ran = await fleet.autark('ledger', 'show', 'web1');
    expect(ran).toMatchObject({ code: 21, stdout: '' });
    expect(ran.stderr).toContain('the sealed file has 67108865 bytes, more than the 67108864');
  });

  test('with a head that nobody signed, what the last authentic fleet pins is opened, and that is said', async () => {
    await fleet.record({ 'ledger.age': await fleet.sealedLedger() });
    expect((await fleet.autark('ledger', 'show', 'web1')).code).toBe(0);
    const theirs = fleet
      .fleetYaml('web1')
      .replace(fleet.keys[0] ?? '', formatPublicKey(fleet.outsider.publicBlob));
    await fleet.server.commit({ files: { 'fleet.yaml': theirs }, key: null, subject: 'Another key' });
    const ran = await fleet.autark('ledger', 'show', 'web1', '--json');
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toContain('Until then the hosts are listed as an older fleet.yaml has them');
    const files = { 'ledger.age': await fleet.sealedLedger() };
    await forge(fleet.server, fleet.host, { key: fleet.outsider, files });
    expect(await fleet.autark('ledger', 'show', 'web1')).toMatchObject({ code: 20, stdout: '' });
  });

  test('a machine that took the name over has not sealed what the one before left', async () => {
    await fleet.record({ 'ledger.age': await fleet.sealedLedger() });
    const made = await fleet.enrol('web1', 'new-web1');
    await fleet.world.git(['pull', '--quiet']);
    await fleet.world.mustAutark([
      'approve',
      'web1',
      '--replace',
      '--fingerprint',
      made.fingerprint,
      '--push',
    ]);
    const ran = await fleet.autark('ledger', 'show', 'web1');
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/web1 is another machine now, .*age -d/);
    await fleet.world.git(['reset', '--quiet', '--hard', fleet.introduced]);
  });
});
