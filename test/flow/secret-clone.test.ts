import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { must, run } from '../rig/run.ts';
import { fleetOfThree, inFleet, opens, set } from '../rig/secret-desk.ts';
import { makeWorld, program, type World } from '../rig/world.ts';

async function secretFiles({ clone }: World): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(join(clone, 'secrets'), { recursive: true })).filter((each) =>
    each.endsWith('.age'),
  );
  const read = names.map(
    async (each) => [each, await readFile(join(clone, 'secrets', each), 'utf8')] as const,
  );
  return new Map(await Promise.all(read));
}

test('a value is sealed to hosts that do not exist yet, shown, listed, left alone, regrouped and removed', async () => {
  const { world, autark } = await fleetOfThree();
  try {
    const made = await set(world, 'hunter2', ['db-password', '--group', 'web', '--owner', 'postgres:db']);
    expect(made.code, made.stderr).toBe(0);
    expect(await opens(world, 'web1', 'secrets/db-password.age')).toBe('hunter2');
    expect(await opens(world, 'db1', 'secrets/db-password.age')).toBeNull();
    expect(await autark(['secret', 'show', 'db-password'])).toBe('hunter2');
    expect(await autark(['secret', 'list'])).toContain('alice@example.org, web1, web2');
    await autark(['check']);
    expect(await readFile(join(world.clone, 'fleet.yaml'), 'utf8')).toMatch(/owner: postgres\n +group: db\n/);

    const head = await world.git(['rev-parse', 'HEAD']);
    const same = await set(world, 'hunter2', ['db-password']);
    expect(same.stderr).toContain('nothing was changed');
    expect((await world.autark(['rekey'])).stderr).toContain('nothing to do');
    expect(await world.git(['rev-parse', 'HEAD'])).toBe(head);

    const joining = '  db1:\n    groups: [ web ]\n';
    await inFleet(world, (text) => text.replace('  db1:\n', joining));
    await world.git(['commit', '-qam', 'db1 joins web']);
    expect((await world.autark(['check'])).stdout).toContain('db1 cannot open it');
    await autark(['rekey']);
    expect(await opens(world, 'db1', 'secrets/db-password.age')).toBe('hunter2');
    await inFleet(world, (text) => text.replace(joining, '  db1:\n'));
    await world.git(['commit', '-qam', 'db1 leaves web']);
    expect((await world.autark(['rekey'])).stderr).toContain('db1 has seen: db-password');
    expect(await opens(world, 'db1', 'secrets/db-password.age')).toBeNull();

    await set(world, 'other', ['tls-key', '--host', 'web1']);
    const before = await secretFiles(world);
    const retired = await world.autark(['retire', 'web2', '--yes']);
    expect(retired.stderr).toContain('web2 has seen: db-password');
    const after = await secretFiles(world);
    expect(after.get('tls-key.age')).toBe(before.get('tls-key.age'));
    expect(await opens(world, 'web2', 'secrets/db-password.age')).toBeNull();
    expect(await opens(world, 'web1', 'secrets/db-password.age')).toBe('hunter2');

    const removed = await world.autark(['secret', 'remove', 'db-password']);
    expect(removed.stderr).toContain('web1 will lose it');
    expect([...(await secretFiles(world)).keys()]).toEqual(['tls-key.age']);
    await autark(['check']);
    expect(await world.git(['status', '--porcelain'])).toBe('');
  } finally {
    await world.remove();
  }
});

test('a change by hand is a finding that rekey mends, in the files that differ alone', async () => {
  const { world, autark } = await fleetOfThree();
  try {
    await set(world, 'one', ['a', '--group', 'web']);
    await set(world, 'two', ['b', '--host', 'web1']);
    const file = join(world.clone, 'fleet.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/hosts: \[ ?web1 ?\]/, 'hosts: [ web1, db1 ]'));
    await world.git(['commit', '-qam', 'By hand']);
    const before = await secretFiles(world);
    const checked = await world.autark(['check']);
    expect(checked.code).toBe(21);
    expect(checked.stdout).toContain('db1 cannot open it');
    expect(checked.stdout).toContain('autark rekey');
    await autark(['rekey']);
    const after = await secretFiles(world);
    expect(after.get('a.age')).toBe(before.get('a.age'));
    expect(await opens(world, 'db1', 'secrets/b.age')).toBe('two');
    await autark(['check']);
  } finally {
    await world.remove();
  }
});

test('nothing is opened of a commit that nobody signed, though the file in it is sealed to us', async () => {
  const { world } = await fleetOfThree();
  try {
    await set(world, 'one', ['a', '--group', 'web']);
    const ours = await must('ssh-keygen', ['-y', '-f', world.adminKey], {});
    const swapped = await must('age', ['-a', '-r', ours], { input: 'forged' });
    await writeFile(join(world.clone, 'secrets/a.age'), swapped);
    await world.git(['-c', 'commit.gpgsign=false', 'commit', '-qam', 'Swap']);
    for (const args of [['secret', 'show', 'a'], ['secret', 'edit', 'a'], ['rekey']]) {
      const ran = await world.autark(args);
      expect(ran.code, args.join(' ')).not.toBe(0);
      expect(ran.stdout).toBe('');
      expect(ran.stderr).toMatch(/sign/);
    }
  } finally {
    await world.remove();
  }
});

test('a key that does not open a value changes nothing, and is told who can', async () => {
  const { world } = await fleetOfThree();
  try {
    await set(world, 'one', ['a', '--group', 'web']);
    const head = await world.git(['rev-parse', 'HEAD']);
    const ran = await world.autark(['retire', 'web2', '--yes', '--identity', '../db1']);
    expect(ran.stderr).toContain('nothing was changed');
    expect(ran.stderr).toContain('secrets/a.age');
    expect(ran.stderr).toMatch(/those who can open it: .*alice/);
    expect(await world.git(['rev-parse', 'HEAD'])).toBe(head);
  } finally {
    await world.remove();
  }
});

test('each host has a value of its own, edited in memory, imported from age', async () => {
  const { world, autark } = await fleetOfThree();
  try {
    await set(world, 'w1', ['host-key', '--each', '--group', 'web', '--host', 'web1']);
    expect(await opens(world, 'web1', 'secrets/web1/host-key.age')).toBe('w1');
    expect(await opens(world, 'web2', 'secrets/web1/host-key.age')).toBeNull();
    expect((await world.autark(['check'])).stderr).toContain('autark secret set host-key --host web2');

    const editor = join(world.dir, 'editor');
    await mkdir(editor);
    await writeFile(join(editor, 'e'), `#!/bin/sh\necho "$1" > ${editor}/place\nprintf 'w1b\\n' > "$1"\n`, {
      mode: 0o755,
    });
    const env = { ...world.env, EDITOR: join(editor, 'e') };
    const args = ['secret', 'edit', 'host-key', '--host', 'web1'];
    const edited = await run(process.execPath, [program, ...args], { cwd: world.clone, env });
    expect(edited.code, edited.stderr).toBe(0);
    expect(await opens(world, 'web1', 'secrets/web1/host-key.age')).toBe('w1b');
    const place = (await readFile(join(editor, 'place'), 'utf8')).trim();
    await expect(readFile(place)).rejects.toThrow();

    const old = await must('age', ['-a', '-R', `${join(world.dir, 'db1')}.pub`], { input: 'from agenix' });
    await writeFile(join(world.dir, 'old.age'), old);
    await autark(['secret', 'import', 'old', '../old.age', '--host', 'db1', '--identity', '../db1']);
    expect(await autark(['secret', 'show', 'old'])).toBe('from agenix');
  } finally {
    await world.remove();
  }
});

test('a fleet without readers takes no secret', async () => {
  const world = await makeWorld('autark-secret');
  try {
    await world.mustAutark(['init', '--key', '../admin_key', '--push']);
    await inFleet(world, (text) => text.replace(/^readers:\n(?: +- .*\n)+/m, ''));
    await world.git(['commit', '-qam', 'No readers']);
    const refused = await set(world, 'x', ['a', '--host', 'web1']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('readers:');
  } finally {
    await world.remove();
  }
});
