import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Watch, watchFile, watchRemote } from '../../agent/adapters/watch.ts';
import { scratch } from '../agent/adapters/scratch.ts';
import { patience } from '../rig/patience.ts';
import { built, runModule } from './children.ts';
import { gitRig, type GitRig } from './git-rig.ts';

/** A watch that counts, and ends with the test. */
async function counting(open: (onChange: () => void) => Promise<Watch | null>) {
  let calls = 0;
  const watch = await open(() => (calls += 1));
  onTestFinished(() => watch?.close());
  return {
    watch,
    /** Resolves once this change was noticed. */
    notices: async (change: () => void): Promise<void> => {
      const before = calls;
      change();
      await vi.waitFor(() => {
        expect(calls).toBeGreaterThan(before);
      }, patience);
    },
    calls: () => calls,
  };
}

function watchRig(rig: GitRig, branch = 'main', remote = rig.remote) {
  return counting((onChange) => watchRemote(remote, branch, onChange));
}

describe('a remote on this machine', () => {
  test('tells of every push to the branch, at once, and of pushes in a row', async () => {
    const rig = gitRig();
    let head = rig.commit('main', 'one');
    const { notices, calls } = await watchRig(rig);
    expect(calls()).toBe(0);
    for (let push = 0; push < 10; push += 1) {
      await notices(() => (head = rig.commit('main', `push ${push}`, [head])));
    }
  });

  test('says each change once, also when they are close', async () => {
    const rig = gitRig();
    rig.commit('main', 'one');
    const { notices, calls } = await watchRig(rig);
    const ref = join(rig.remote, 'refs/heads/main');
    for (let push = 1; push <= 10; push += 1) {
      await notices(() => {
        writeFileSync(`${ref}.lock`, `${String(push).padStart(40, '0')}\n`);
        renameSync(`${ref}.lock`, ref);
      });
      expect(calls()).toBe(push);
    }
  });

  test('sees branches for testing, whose folder comes later, deletions and packed-refs', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    const { notices } = await watchRig(rig);
    await notices(() => rig.commit('testing/web1', 'try', [head]));
    await notices(() => rig.commit('testing/web1', 'try again', [head]));
    await notices(() => rig.at(['update-ref', '-d', 'refs/heads/testing/web1']));
    await notices(() => rig.at(['pack-refs', '--all']));
    await notices(() => rig.commit('main', 'two', [head]));
  });

  test('that is empty is watched as well', async () => {
    const rig = gitRig();
    const { notices } = await watchRig(rig);
    await notices(() => rig.commit('main', 'one'));
  });

  test("is not disturbed by hosts' own branches", async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    const { notices, calls } = await watchRig(rig);
    for (const host of ['web1', 'web2']) {
      rig.commit(`state/${host}`, 'one');
      rig.commit(`state/${host}`, 'two');
      rig.commit(`enroll/${host}/0123456789abcdef`, 'one');
      rig.at(['update-ref', '-d', `refs/heads/enroll/${host}/0123456789abcdef`]);
    }
    writeFileSync(join(rig.remote, 'refs/heads/main.lock'), '');
    rmSync(join(rig.remote, 'refs/heads/main.lock'));
    // The kernel tells in order: whatever the others had caused came before this.
    await notices(() => rig.commit('main', 'two', [head]));
    expect(calls()).toBe(1);
  });

  test('may have a branch with slashes', async () => {
    const rig = gitRig();
    const { notices, calls } = await watchRig(rig, 'fleet/eu/main');
    await notices(() => rig.commit('fleet/eu/main', 'one'));
    await notices(() => rig.commit('fleet/eu/main', 'two'));
    const before = calls();
    rig.commit('fleet/us/main', 'one');
    await notices(() => rig.commit('fleet/eu/main', 'three'));
    expect(calls()).toBe(before + 1);
  });

  test('may be a URL, a work tree, a linked work tree, or lack its suffix', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    const work = join(rig.folder, 'work');
    const linked = join(rig.folder, 'linked');
    execFileSync('git', ['clone', '--quiet', rig.remote, work], { stdio: 'pipe' });
    execFileSync('git', ['-C', work, 'worktree', 'add', '--quiet', '--detach', linked], { stdio: 'pipe' });
    for (const remote of [`file://${rig.remote}`, rig.remote.replace(/\.git$/, '')]) {
      const { notices } = await watchRig(rig, 'main', remote);
      await notices(() => rig.commit('main', remote, [head]));
    }
    for (const remote of [work, linked]) {
      const { notices } = await watchRig(rig, 'other', remote);
      await notices(() => execFileSync('git', ['-C', work, 'branch', '--force', 'other', head]));
      execFileSync('git', ['-C', work, 'branch', '--quiet', '-D', 'other']);
    }
  });

  test('is not watched when it is elsewhere, or no repository', async () => {
    const never = (): never => {
      throw new Error('called');
    };
    for (const remote of [
      'https://example.org/x.git',
      'git@example.org:x.git',
      'ssh://h/x',
      scratch(),
      '/no/such/path',
    ]) {
      expect(await watchRemote(remote, 'main', never)).toBeNull();
    }
  });
});

describe('a file', () => {
  test('is watched through writing, replacing, removing and making it', async () => {
    const folder = scratch();
    const file = join(folder, 'agent.yaml');
    writeFileSync(file, 'one');
    const { notices, calls } = await counting((onChange) => watchFile(file, onChange));
    for (let round = 0; round < 3; round += 1) {
      await notices(() => {
        writeFileSync(file, `written ${round}`);
      });
      await notices(() => {
        writeFileSync(`${file}.new`, `replaced ${round}`);
        renameSync(`${file}.new`, file);
      });
      await notices(() => {
        rmSync(file);
      });
      await notices(() => {
        writeFileSync(file, 'made');
      });
    }
    const before = calls();
    writeFileSync(join(folder, 'other.yaml'), '');
    mkdirSync(join(folder, 'folder'));
    await notices(() => {
      writeFileSync(`${file}.new`, 'last');
      renameSync(`${file}.new`, file);
    });
    expect(calls()).toBe(before + 1);
  });
});

test('a closed watch keeps nobody alive', async () => {
  const rig = gitRig();
  const agent = `
    import { watchFile, watchRemote } from ${built('watch')};
    const [, remote] = process.argv;
    const watches = [await watchRemote(remote, 'main', () => {}), await watchFile(remote + '/config', () => {})];
    await Promise.all(watches.map((watch) => watch.close()));
    console.log('closed');`;
  const lines: string[] = [];
  await runModule(agent, [rig.remote], (line) => lines.push(line)).ended;
  expect(lines).toEqual(['closed']);
});
