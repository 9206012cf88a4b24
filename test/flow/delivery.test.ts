import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { keyAt, makeDeployed, newest } from '../rig/fleet.ts';
import { must } from '../rig/run.ts';

/** S9 and P6: what a host did is not forgotten, whatever becomes of its branch on the server. */
const fleet = await makeDeployed();
const { host } = fleet;
afterAll(() => fleet.world.remove());

const branch = 'refs/heads/state/web1';
const setBranch = (id: string): Promise<string> => fleet.server.git(['update-ref', branch, id]);
const deploy = async (motd: string) => {
  const revision = await fleet.server.commit({ files: execHost('web1', motd), subject: motd });
  return { revision, ran: await host.agent() };
};

/** Every record is there once, each above the one before. */
async function chainIsWhole(length: number): Promise<void> {
  const records = await host.records();
  expect(records.map(({ status }) => status.seq)).toEqual([...Array(length).keys()]);
  for (const [index, { parents }] of records.entries()) {
    expect(parents[0]).toBe(index === 0 ? undefined : records[index - 1]?.id);
  }
  expect(host.state('outbox')).toEqual([]);
}

describe('a server that refuses the state branch', () => {
  const hook = (): string => join(fleet.world.remote, 'hooks', 'update');

  test('does not stop the deployment; it is said (51), and the record waits', async () => {
    mkdirSync(join(fleet.world.remote, 'hooks'), { recursive: true });
    writeFileSync(
      hook(),
      '#!/bin/sh\ncase "$1" in refs/heads/state/*) echo "no room for you" >&2; exit 1;; esac\n',
    );
    chmodSync(hook(), 0o755);
    for (const [index, motd] of ['one', 'two', 'three'].entries()) {
      const { ran } = await deploy(motd);
      expect(ran.code).toBe(51);
      expect(ran.stderr).toMatch(
        /record: the server refused to change refs\/heads\/state\/web1: .*no room for you.*; give this host write access/,
      );
      expect(host.motd()).toBe(motd);
      expect(host.state('outbox')).toHaveLength(index + 1);
    }
    expect((await newest(host)).status.seq).toBe(1);
  });

  test('is asked again by a cycle that has nothing else to do', async () => {
    expect((await host.agent()).code).toBe(51);
  });

  test('gets all of them, in order, once it takes them', async () => {
    rmSync(hook());
    const { code, stderr } = await host.agent();
    expect(code).toBe(0);
    expect(stderr).toMatch(/the server has the records up to 4/);
    await chainIsWhole(5);
    const subjects = (await host.records()).map(({ subject }) => /"(.*)"/.exec(subject)?.[1]);
    expect(subjects.slice(2)).toEqual(['one', 'two', 'three']);
  });

  test('does not hide that the build failed', async () => {
    writeFileSync(hook(), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    await fleet.server.commit({ files: { 'hosts/web1/build': { executable: '#!/bin/sh\nexit 1\n' } } });
    expect((await host.agent()).code).toBe(30);
    rmSync(hook());
    expect((await host.agent()).code).toBe(30);
    await chainIsWhole(6);
  });
});

describe('a state branch on the server', () => {
  test('that was deleted is pushed again, whole, and that is said', async () => {
    await fleet.server.git(['update-ref', '-d', branch]);
    const { ran } = await deploy('after the deletion');
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(/ warn warning web1 .*state\/web1 is gone from the server/);
    await chainIsWhole(7);
  });

  test('that was set back to an older record is pushed again, whole, and that is said', async () => {
    await setBranch((await host.records())[3]?.id ?? '');
    const { ran } = await deploy('after the step back');
    expect(ran.code).toBe(0);
    await chainIsWhole(8);
    expect(ran.stderr).toMatch(/ warn warning web1 .*state\/web1/);
  });

  test('that holds somebody else’s commit is replaced, and that is said', async () => {
    const theirs = await fleet.server.commit({ subject: 'Mine now', ref: branch });
    const { ran } = await deploy('after the stranger');
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain(`state/web1 held ${theirs}, which this host did not sign`);
    await chainIsWhole(9);
  });

  test('that holds another host’s record is replaced as well', async () => {
    const other = await fleet.join('web2');
    await fleet.server.commit({ files: execHost('web2', 'x') });
    expect((await other.agent()).code).toBe(0);
    await setBranch((await newest(other)).id);
    const { ran } = await deploy('after the swap');
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(/did not sign/);
    await chainIsWhole(10);
  });

  test('that holds a record of its own key which it does not know stops it (12): nothing is pushed', async () => {
    const tip = await newest(host);
    const key = keyAt(host.path('var/lib/autark/key'));
    const unknown = await fleet.server.commit({
      tree: tip.id,
      parents: [tip.id],
      key,
      subject: 'web1: x',
      ref: branch,
    });
    const { ran } = await deploy('while diverged');
    expect(ran.code).toBe(12);
    expect(ran.stderr).toMatch(
      new RegExp(`state/web1 holds a record .* does not know \\(${unknown}\\): .*; .*enroll --resume`),
    );
    expect(await fleet.server.git(['rev-parse', branch])).toBe(unknown);
    expect(host.state('outbox')).toHaveLength(1);
    expect((await host.agent()).code).toBe(12);
    // What was seen once is not forgotten because the server shows something else.
    await setBranch(tip.id);
    expect((await host.agent()).code).toBe(12);
    expect((await host.resume()).code).toBe(0);
    expect((await host.agent()).code).toBe(0);
    await chainIsWhole(11);
  });
});

describe('a host that has lost its Git directory', () => {
  const loseIt = (): void => {
    rmSync(host.path('var/lib/autark/git'), { recursive: true });
  };

  test('goes on above what the server has', async () => {
    loseIt();
    expect((await deploy('from the server')).ran.code).toBe(0);
    await chainIsWhole(12);
  });

  test('and finds its branch gone too, deploys, says what to do, and goes on once a clone pushed it', async () => {
    const tip = await newest(host);
    await fleet.server.git(['update-ref', 'refs/heads/copy-in-a-clone', tip.id]);
    await fleet.server.git(['update-ref', '-d', branch]);
    loseIt();
    const { ran } = await deploy('twice bereft');
    expect(host.motd()).toBe('twice bereft');
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toMatch(/record: .*state\/web1.*; \S+/);
    await setBranch(tip.id);
    expect((await host.agent()).code).toBe(0);
    await chainIsWhole(13);
  });
});

describe('stateRemote', () => {
  test('takes the records, without the revision as a parent; unreachable, they wait', async () => {
    const remote = join(fleet.world.dir, 'states.git');
    const { env } = fleet.world;
    await must('git', ['init', '--quiet', '--bare', remote], { env });
    const web3 = await fleet.join('web3');
    appendFileSync(web3.path('etc/autark/agent.yaml'), `stateRemote: ${remote}\n`);
    await fleet.server.commit({ files: execHost('web3', 'apart') });
    renameSync(remote, `${remote}.away`);
    const ran = await web3.agent();
    expect(ran.code).toBe(50);
    expect(ran.stderr).toContain(remote);
    expect(web3.motd()).toBe('apart');
    await fleet.server.commit({ files: execHost('web3', 'still apart') });
    expect((await web3.agent()).code).toBe(50);
    expect(web3.state('outbox')).toHaveLength(3);
    renameSync(`${remote}.away`, remote);
    expect((await web3.agent()).code).toBe(0);
    const log = ['log', '--format=%P|%s', '--reverse', 'refs/heads/state/web3'];
    const lines = (await must('git', log, { env: { ...env, GIT_DIR: remote } })).split('\n');
    expect(lines.map((line) => line.split('|')[0]?.split(' ').length)).toEqual([1, 1, 1]);
    expect(lines[2]).toMatch(/^[0-9a-f]{40}\|web3: deployed [0-9a-f]{7} "Change" as generation 2$/);
    expect(readFileSync(web3.path('etc/motd'), 'utf8')).toBe('still apart\n');
    expect(await web3.records()).toEqual([]);
  });
});
