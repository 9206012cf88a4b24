import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';

let fleet: Fleet & { host: FleetHost };
let host: FleetHost;
let blob: string;
let good: string;
beforeAll(async () => {
  fleet = await makeDeployed();
  host = fleet.host;
  good = await fleet.server.head();
  blob = await fleet.server.git(['hash-object', '-w', '--stdin'], '../../../../etc/passwd');
});
afterAll(() => fleet.world.remove());

/** A tree of the given entries below `odd/`, beside all that is there already. */
async function withOdd(lines: readonly string[]): Promise<string> {
  const odd = await fleet.server.git(['mktree', '--missing'], lines.join(''));
  const root = await fleet.server.git(['ls-tree', good]);
  const others = root.split('\n').filter((line) => !line.endsWith('\todd'));
  return fleet.server.git(['mktree'], [...others, `040000 tree ${odd}\todd`].join('\n') + '\n');
}

describe('a tree', () => {
  test.each([
    [
      'with a link that leads out',
      (id: string) => [`120000 blob ${id}\tlink\n`],
      'odd/link',
      /leads out of the tree/,
    ],
    ['with a submodule', () => [`160000 commit ${good}\tmodule\n`], 'odd/module', /submodule/],
    [
      'with what some file systems take for .git',
      (id: string) => [`100644 blob ${id}\t．ｇｉｔ\n`],
      'odd/．ｇｉｔ',
      /take the name for .git/,
    ],
    [
      'with names that differ by case only',
      (id: string) => [`100644 blob ${id}\tMotd\n`, `100644 blob ${id}\tmotd\n`],
      'odd/motd',
      /same file as “Motd”/,
    ],
    [
      'with a control character in a name',
      (id: string) => [`100644 blob ${id}\t"a\\033[2Jb"\n`],
      'odd/',
      /control characters/,
    ],
  ])('%s is refused with the path', async (_name, entries, where, said) => {
    const before = [host.running(), host.state('systems'), host.state('generations')];
    const tree = await withOdd(entries(blob));
    const revision = await fleet.server.commit({ tree });
    const { code, stderr } = await host.agent();
    expect(code).toBe(21);
    expect(stderr).toMatch(said);
    expect(stderr).toMatch(
      new RegExp(`the tree cannot be written out: .* \\(${where}.*\\); rename or remove it`),
    );
    expect(stderr).not.toMatch(/\u001b/);
    expect([host.running(), host.state('systems'), host.state('generations')]).toEqual(before);
    expect(host.state('.')).not.toContain('tree');
    const { status } = await newest(host);
    expect(status.outcome).toMatchObject({ event: 'failed', code: 21, attempted: revision });
    expect(status.outcome.message).toMatch(said);
  });

  test.each(['.git', '.GIT', '.g\u200cit', 'git~1'])(
    'with %j, git itself refuses: so it is said',
    async (name) => {
      const [before, last] = [host.running(), await fleet.server.head()];
      const odd = await fleet.server.git(['mktree'], `100644 blob ${blob}\t${name}\n`);
      await fleet.server.commit({ tree: await fleet.server.git(['mktree'], `040000 tree ${odd}\todd\n`) });
      const { code, stderr } = await host.agent();
      await fleet.server.git(['update-ref', 'refs/heads/main', last]);
      // Nothing of it was taken, so there is no commit to record; but it is not the network's fault.
      expect(code).toBe(21);
      expect(stderr).toContain(`object ${odd}: hasDotgit`);
      expect(stderr).not.toMatch(/check the network/);
      expect(host.running()).toEqual(before);
    },
  );

  test('without it is deployed', async () => {
    await fleet.server.commit({
      files: { 'odd/fine': 'x', 'hosts/web1/motd': 'fine\n' },
      tree: await withOdd([]),
    });
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('fine');
  });

  test('with links that stay inside is deployed', async () => {
    const inside = await fleet.server.git(['hash-object', '-w', '--stdin'], '../hosts/web1/motd');
    await fleet.server.commit({
      tree: await withOdd([`120000 blob ${inside}\tlink\n`]),
      files: { 'hosts/web1/motd': 'linked\n' },
    });
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('linked');
  });
});
