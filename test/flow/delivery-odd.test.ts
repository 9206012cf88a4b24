import { rmSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { keyAt, makeDeployed, newest } from '../rig/fleet.ts';
import { must } from '../rig/run.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';

/** Odder things that a server may show as a host's state branch (S9). */
const fleet = await makeDeployed('autark-odd');
const { host } = fleet;
afterAll(() => fleet.world.remove());

const branch = 'refs/heads/state/web1';
const setBranch = (id: string): Promise<string> => fleet.server.git(['update-ref', branch, id]);
const deploy = async (motd: string) => {
  await fleet.server.commit({ files: execHost('web1', motd), subject: motd });
  return host.agent();
};
const loseGit = (): void => {
  rmSync(host.path('var/lib/autark/git'), { recursive: true });
};

/** All records are there, as many as the host made, and nothing waits. */
async function allArrived(length: number, because: string): Promise<void> {
  const records = await host.records();
  expectChain(records, because);
  expect(records, because).toHaveLength(length);
  expectAtRest(host, because);
}

/** Written past git's own checks: git-fsck(1) calls it `missingEmail`. */
const malformed = async (parents: readonly string[]): Promise<string> => {
  const tree = await fleet.server.git(['rev-parse', 'main^{tree}']);
  const lines = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    'author Mallory 1700000000 +0000',
    'committer Mallory 1700000000 +0000',
  ];
  const args = ['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'];
  return fleet.server.git(args, `${lines.join('\n')}\n\nMine now\n`);
};

describe('a commit that git itself would not take', () => {
  test.each([
    ['on top of the host’s records', async () => [(await newest(host)).id]],
    ['with no parents', () => Promise.resolve([])],
  ])('pushed there by somebody else, %s, is replaced, and that is said', async (where, parentsOf) => {
    const { length } = await host.records();
    const theirs = await malformed(await parentsOf());
    await setBranch(theirs);
    const { code, stderr } = await deploy(`after one ${where}`);
    expect(stderr).toContain(`state/web1 held ${theirs}, which this host did not sign`);
    expect(code).toBe(0);
    expect(host.motd()).toBe(`after one ${where}`);
    await allArrived(length + 1, where);
  });
});

/** Does, in the clone, exactly what the message says. */
async function followRemedy(said: string): Promise<void> {
  const command =
    /in a clone that still has it, without fetching first: (git push .*)$/m.exec(said)?.[1] ?? 'no command';
  const { clone: cwd, env } = fleet.world;
  await must('sh', ['-c', command], { cwd, env });
}

describe('a branch set back to an older record, for a host that has lost its Git directory', () => {
  test.each([
    ['the genesis', 0],
    ['the one before the last', -2],
  ])('is not taken for another machine’s: %s', async (which, index) => {
    const before = await host.records();
    await fleet.world.git(['fetch', '--quiet']);
    const older = before.at(index)?.id ?? '';
    await setBranch(older);
    loseGit();
    const { code, stderr } = await deploy(`set back to ${which}`);
    // The deployment does not wait for it (P7).
    expect(host.motd()).toBe(`set back to ${which}`);
    expect(stderr).not.toContain('two machines');
    expect(stderr).toMatch(new RegExp(` warn warning web1 .*state/web1 was set back .*${older}`));
    expect(stderr).toMatch(
      /record: the server no longer has all of state\/web1, nor has this machine what came before record \d+/,
    );
    expect(code).toBe(51);
    // Nothing was pushed over it, and what is new waits.
    expect(await fleet.server.git(['rev-parse', branch])).toBe(older);
    expect(host.state('outbox')).toHaveLength(1);
    expect((await host.agent()).code).toBe(51);

    await followRemedy(stderr);
    expect((await newest(host)).id).toBe(before.at(-1)?.id);
    expect((await host.agent()).code).toBe(0);
    await allArrived(before.length + 1, which);
  });

  test('but one of another installation with the same key stops it (12)', async () => {
    const before = await host.records();
    const tip = await newest(host);
    const status = { ...tip.status, installation: '0123456789abcdef0123456789abcdef' };
    const theirs = await fleet.server.commit({
      tree: tip.id,
      files: { 'status.json': `${JSON.stringify(status)}\n` },
      parents: [before[1]?.id ?? ''],
      key: keyAt(host.path('var/lib/autark/key')),
      ref: branch,
    });
    loseGit();
    const { code, stderr } = await deploy('two of a kind');
    expect(code).toBe(12);
    expect(stderr).toContain(theirs);
    expect(await fleet.server.git(['rev-parse', branch])).toBe(theirs);
    await setBranch(tip.id);
    expect((await host.resume()).code).toBe(0);
    expect((await host.agent()).code).toBe(0);
    await allArrived(before.length + 1, 'after the other one went');
  });

  test('nor does a malformed commit in its place keep the records from coming back', async () => {
    const before = await host.records();
    await fleet.world.git(['fetch', '--quiet']);
    const theirs = await malformed([before.at(-1)?.id ?? '']);
    await setBranch(theirs);
    loseGit();
    const { code, stderr } = await deploy('without either');
    expect(host.motd()).toBe('without either');
    expect(code).toBe(51);
    expect(stderr).toContain(`state/web1 held ${theirs}, which this host did not sign`);
    try {
      await followRemedy(stderr);
    } finally {
      await setBranch(before.at(-1)?.id ?? '');
    }
    expect((await host.agent()).code).toBe(0);
    await allArrived(before.length + 1, 'after the malformed commit and the loss');
  });
});
