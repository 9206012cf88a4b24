import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bashScript, zshScript } from '../../../agent/cli/completion-bash.ts';
import { fishScript } from '../../../agent/cli/completion-fish.ts';
import { verbs } from '../../../agent/cli/verbs.ts';
import { describeWith } from '../../rig/needs.ts';
import { must } from '../../rig/run.ts';
import { makeWorld, type World } from '../../rig/world.ts';

let world: World;

beforeAll(async () => {
  world = await makeWorld('autark-completion');
  await world.mustAutark(['init', '--key', world.adminKey, '--push']);
  // Hosts are known by their branches.
  for (const host of ['web1', 'web2', 'db1']) {
    await world.git(['push', '--quiet', 'origin', `HEAD:refs/heads/state/${host}`]);
  }
  // Branches that whoever can push may name as they like.
  for (const name of ['$(touch${IFS}pwned)', '`touch${IFS}pwned`', 'Web9', 'x;y']) {
    await world.git(['push', '--quiet', 'origin', `HEAD:refs/heads/state/${name}`]);
  }
  await world.git(['fetch', '--quiet']);
  await writeFile(join(world.clone, 'key.pub'), '');
  for (const [name, text] of [
    ['bash', bashScript()],
    ['zsh', zshScript()],
    ['fish', fishScript()],
  ] as const) {
    await writeFile(join(world.dir, `completion.${name}`), text);
  }
});

afterAll(() => world.remove());

/** Line, and what must be offered for its last word. */
const lines: readonly (readonly [string, readonly string[]])[] = [
  ['autark app', ['approve']],
  ['autark status w', ['web1', 'web2']],
  ['autark retire d', ['db1']],
  ['autark approve web1 --sys', ['--system']],
  ['autark approve web1 --system n', ['nixos']],
  ['autark admin re', ['remove']],
  ['autark join --key k', ['key.pub']],
  ['autark completion f', ['fish']],
];

test('bash completes verbs, options, choices, hosts and files', async () => {
  for (const [line, offered] of lines) expect(await byBash(line), line).toEqual(offered);
  expect(await byBash('autark ')).toEqual(expect.arrayContaining(verbs.map(({ name }) => name)));
  expect(await byBash('autark --root /tmp stat')).toEqual(['status']);
  expect(await byBash('autark status ')).toEqual(['db1', 'web1', 'web2']);
  expect(existsSync(join(world.clone, 'pwned'))).toBe(false);
});

async function byBash(line: string): Promise<readonly string[]> {
  const words = line.split(' ');
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _autark; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = await must('bash', ['-c', script, '-', join(world.dir, 'completion.bash'), ...words], {
    cwd: world.clone,
    env: world.env,
  });
  return said.split('\n').filter((each) => each !== '');
}

describeWith(['fish'], 'fish', () => {
  test('completes the same', async () => {
    for (const [line, offered] of lines) {
      const script = `source "$argv[1]"; complete -C "$argv[2]"`;
      const file = join(world.dir, 'completion.fish');
      const said = await must('fish', ['--no-config', '-c', script, file, line], {
        cwd: world.clone,
        env: { ...world.env, XDG_DATA_HOME: world.dir, XDG_CONFIG_HOME: world.dir },
      });
      const found = said.split('\n').map((each) => each.split('\t')[0]);
      expect(
        found.filter((each) => each !== ''),
        line,
      ).toEqual(offered);
    }
  });
});

describeWith(['zsh'], 'zsh', () => {
  test('takes the script, and completes autark with it', async () => {
    const script = `autoload -U compinit && compinit -D -u; source "$1"; print -r -- "$_comps[autark]"`;
    const said = await must('zsh', ['-f', '-c', script, '-', join(world.dir, 'completion.zsh')], {
      cwd: world.clone,
      env: world.env,
    });
    expect(said).toContain('_autark');
  });
});
