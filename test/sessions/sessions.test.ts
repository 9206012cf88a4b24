import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../rig/run.ts';
import { makeWorld, program, writeKey, writePublicKey, type World } from '../rig/world.ts';
import { compare, parseSession } from './session.ts';

const folder = import.meta.dirname;
const sessions = (await readdir(folder)).filter((name) => name.endsWith('.session'));

/** What sessions use, and no more: autark itself needs no ssh-keygen, and git only where a session says so. */
const programs = ['git', 'sh', 'cat', 'head', 'ls', 'mkdir', 'rm', 'sed', 'cp', 'chmod'];

test.each(sessions)('%s', async (name) => {
  const world = await makeWorld('autark-session');
  try {
    const text = await readFile(join(folder, name), 'utf8');
    const bin = await makeBin(world, text.includes('ssh-keygen') ? ['ssh-keygen'] : []);
    await writePublicKey(
      `${join(world.dir, 'second_key')}.pub`,
      await writeKey(join(world.dir, 'second_key'), 'bob@laptop'),
    );
    const variables = new Map([['DIR', world.dir]]);
    let cwd = world.clone;
    for (const step of parseSession(text)) {
      const folderChange = /^cd (\S+)$/.exec(step.command)?.[1];
      if (folderChange !== undefined) {
        cwd = join(world.clone, folderChange);
        continue;
      }
      // Sessions show what somebody sees who never told git their name.
      const env = { PATH: bin, HOME: world.dir, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
      const ran = await run('/bin/sh', ['-c', step.command], {
        cwd,
        env: { ...env, USER: 'alice', ...Object.fromEntries(variables) },
      });
      const where = `${name}:${step.line}: ${step.command}`;
      const seen = `${where}\n${ran.stdout}${ran.stderr}`;
      expect(ran.code, seen).toBe(step.code);
      expect(compare(step.stdout, ran.stdout, variables), where).toBeUndefined();
      expect(compare(step.stderr, ran.stderr, variables), where).toBeUndefined();
    }
  } finally {
    await world.remove();
  }
});

test('a session that shows something else fails', () => {
  const [step] = parseSession('$ autark init\n<commit:INTRO>\n2> Next:\n...\n[exit 1]\n');
  expect(step).toEqual({
    line: 1,
    command: 'autark init',
    stdout: ['<commit:INTRO>', '...'],
    stderr: ['Next:'],
    code: 1,
  });
  const variables = new Map<string, string>();
  expect(compare(['<commit:INTRO>'], `${'a'.repeat(40)}\n`, variables)).toBeUndefined();
  expect(variables.get('INTRO')).toBe('a'.repeat(40));
  expect(compare(['<commit>'], 'abc\n', variables)).toContain('abc');
  expect(compare(['web1  converged'], 'web1    converged\n', variables)).toBeUndefined();
  expect(compare(['at $INTRO'], `at ${'b'.repeat(40)}\n`, variables)).toContain('bbb');
  expect(compare([], 'more\n', variables)).toContain('more');
});

async function makeBin(world: World, more: readonly string[]): Promise<string> {
  const bin = join(world.dir, 'bin');
  await mkdir(bin);
  await Promise.all([...programs, ...more].map((name) => symlink(find(name), join(bin, name))));
  await writeFile(join(bin, 'autark'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  await chmod(join(bin, 'autark'), 0o755);
  return bin;
}

function find(name: string): string {
  const places = (process.env['PATH'] ?? '').split(':').map((place) => join(place, name));
  const found = places.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error(`sessions need ${name}`);
  return found;
}
