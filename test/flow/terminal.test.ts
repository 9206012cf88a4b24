import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { makeDeployed } from '../rig/fleet.ts';
import { onTerminal } from '../rig/terminal.ts';
import { makeWorld, writeKey, writePublicKey } from '../rig/world.ts';

const fleet = await makeDeployed();
const { world } = fleet;
afterAll(() => world.remove());

const questions = (shown: string): number => shown.match(/\?/g)?.length ?? 0;
const spare = join(world.dir, 'spare_key');

describe('on a terminal', () => {
  test('`init` asks for a second key, once, and does without when there is none', async () => {
    const fresh = await makeWorld('autark-terminal');
    try {
      const ran = await onTerminal(fresh, ['init', '--key', fresh.adminKey], { typed: '\n' });
      expect(ran.code).toBe(0);
      expect(ran.stdout.match(/Public key file of a second signer/g)).toHaveLength(1);
      expect(ran.stdout).toMatch(/Only one key may sign/);
    } finally {
      await fresh.remove();
    }
  });

  test('`init` takes the second key that it is given', async () => {
    const fresh = await makeWorld('autark-terminal');
    try {
      const file = join(fresh.dir, 'second.pub');
      await writePublicKey(file, await writeKey(join(fresh.dir, 'second'), 'usb stick'));
      const ran = await onTerminal(fresh, ['init', '--key', fresh.adminKey], { typed: `${file}\n` });
      expect(ran.code).toBe(0);
      expect(ran.stdout).not.toMatch(/Only one key/);
      expect((await fresh.git(['show', 'HEAD:allowed_signers'])).split('\n')).toHaveLength(2);
    } finally {
      await fresh.remove();
    }
  });

  test('`approve` shows the machine, asks once, and takes silence for no', async () => {
    const waiting = await fleet.enrol('web2');
    await world.git(['pull', '--quiet']);
    const words = ['approve', 'web2', '--build', 'hosts/web2/build'];
    for (const typed of ['\n', 'n\n', 'maybe\n', '']) {
      const ran = await onTerminal(world, words, { typed });
      expect(ran.code, typed).toBe(1);
      expect(ran.stdout).toContain(waiting.fingerprint);
      expect(ran.stdout).toMatch(/memory {2,}\d/);
      expect(ran.stdout.match(/Does web2 itself show this fingerprint\? \[y\/N\]/g)).toHaveLength(1);
      expect(ran.stdout).toMatch(/not approved, and nothing was changed/);
    }
    const ran = await onTerminal(world, [...words, '--push'], { typed: 'y\n' });
    expect(ran.code).toBe(0);
    expect(questions(ran.stdout)).toBe(1);
    expect(ran.stdout).toMatch(/web2 is approved and pushed/);
  });

  test('`enroll` shows the introduction, and believes it only when somebody says so', async () => {
    const there = ['enroll', '--root', world.root('web3'), '--remote', world.remote, '--host', 'web3'];
    const refused = await onTerminal(world, there, { typed: '\n' });
    expect(refused.code).toBe(2);
    expect(refused.stdout).toContain(fleet.introduction);
    expect(refused.stdout).toMatch(/the introduction was not confirmed/);
    const ran = await onTerminal(world, there, { typed: 'yes\n' });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/autark approve web3 --fingerprint SHA256:/);
    // Run again, it knows, and asks nothing.
    const again = await onTerminal(world, ['enroll', '--root', world.root('web3')]);
    expect(again.code).toBe(0);
    expect(questions(again.stdout)).toBe(0);
  });

  test('`admin add` shows the fingerprint and asks', async () => {
    await world.git(['pull', '--quiet']);
    await writePublicKey(`${spare}.pub`, await writeKey(spare, 'bob'));
    const words = ['admin', 'add', 'bob', '--key', `${spare}.pub`];
    expect((await onTerminal(world, words, { typed: '\n' })).code).toBe(1);
    const ran = await onTerminal(world, words, { typed: 'y\n' });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/bob {2}SHA256:\S{43}/);
    expect(questions(ran.stdout)).toBe(1);
  });

  test('`retire` wants the name typed, and nothing else will do', async () => {
    for (const typed of ['y\n', 'web\n', '\n']) {
      const ran = await onTerminal(world, ['retire', 'web2'], { typed });
      expect(ran.code, typed).toBe(1);
      expect(ran.stdout).toMatch(/web2 is not retired, and nothing was changed/);
    }
    const ran = await onTerminal(world, ['retire', 'web2', '--push'], { typed: 'web2\n' });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/on the Git server, remove the key or token/);
  });

  test('`promote` shows the difference and asks', async () => {
    await fleet.server.commit({ files: { 'hosts/web1/note': 'x' }, key: null, subject: 'Merge (#1)' });
    expect((await onTerminal(world, ['promote'], { typed: '\n' })).code).toBe(1);
    const ran = await onTerminal(world, ['promote', '--push'], { typed: 'y\n' });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/hosts\/web1\/note \| 1 \+/);
    expect(questions(ran.stdout)).toBe(1);
  });

  test('`status` is coloured, and fits a narrow window', async () => {
    const plain = (text: string): string => text.replace(/\u001b\[[0-9;]*m/g, '');
    const wide = await onTerminal(world, ['status'], { columns: 120 });
    expect(wide.stdout).toContain('\u001b[');
    const narrow = await onTerminal(world, ['status'], { columns: 40 });
    const lines = plain(narrow.stdout)
      .split('\n')
      .filter((line) => /^(HOST|web)/.test(line));
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(40);
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      expect((await onTerminal(world, ['status'], { env })).stdout).not.toContain('\u001b[');
    }
  });
});
