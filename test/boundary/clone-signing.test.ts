import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../rig/needs.ts';
import { must, run } from '../rig/run.ts';
import { makeWorld, program, type World } from '../rig/world.ts';

let world: World;

beforeAll(async () => {
  world = await makeWorld('autark-signing');
});
afterAll(() => world.remove());

async function init(key: string, env: Readonly<Record<string, string>> = {}) {
  await rm(world.clone, { recursive: true, force: true });
  await must('git', ['clone', '--quiet', world.remote, world.clone], { env: world.env });
  return run(process.execPath, [program, 'init', '--key', key], {
    cwd: world.clone,
    env: { ...world.env, ...env },
  });
}

describeWith(['ssh-keygen'], 'signing in a clone', () => {
  test('git verifies what autark signed in process', async () => {
    expect((await init(world.adminKey)).code).toBe(0);
    expect(await world.git(['log', '-1', '--format=%G? %GS'])).toBe('G alice@example.org');
  });

  test('a key with a passphrase signs by way of ssh-keygen', async () => {
    const key = join(world.dir, 'locked');
    await must(
      'ssh-keygen',
      ['-q', '-t', 'ed25519', '-N', 'correct horse', '-C', 'bob@example.org', '-f', key],
      { env: world.env },
    );
    const askpass = join(world.dir, 'askpass');
    await writeFile(askpass, '#!/bin/sh\necho correct horse\n');
    await chmod(askpass, 0o755);
    const ran = await init(key, { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' });
    expect(ran.code, ran.stderr).toBe(0);
    expect(await world.git(['log', '-1', '--format=%G?'])).toBe('G');
  });

  test('without the passphrase nothing is committed, and nothing is left behind', async () => {
    const ran = await init(join(world.dir, 'locked'), {
      SSH_ASKPASS: '/bin/false',
      SSH_ASKPASS_REQUIRE: 'force',
    });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('ssh-keygen did not sign');
    expect(ran.stdout).toBe('');
    expect(
      (await run('git', ['rev-parse', '-q', '--verify', 'HEAD'], { cwd: world.clone, env: world.env })).code,
    ).toBe(1);
    expect(await must('sh', ['-c', 'ls -A; ls .git'], { cwd: world.clone, env: world.env })).not.toMatch(
      /autark|fleet\.yaml/,
    );
  });

  test('an RSA key is refused with what to do', async () => {
    const key = join(world.dir, 'rsa');
    await must('ssh-keygen', ['-q', '-t', 'rsa', '-N', '', '-f', key], { env: world.env });
    const ran = await init(`${key}.pub`);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('ssh-keygen -t ed25519');
  });
});
