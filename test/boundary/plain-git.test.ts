import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { PrivateKey } from '../../shared/trust/ssh-key.ts';
import { keyAt, makeDeployed, type Revision } from '../rig/fleet.ts';
import { run, type RanProgram } from '../rig/run.ts';
import { writeKey } from '../rig/world.ts';

/** The scripts of docs/verifying-with-plain-git.md as they stand there, run in a clone. */
const fleet = await makeDeployed('autark-plain-git');
const { host, server, world } = fleet;
afterAll(() => world.remove());

const page = readFileSync('docs/verifying-with-plain-git.md', 'utf8');
const scripts = [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, script = '']) => script);
const [configuration = '', state = ''] = ['configuration.sh', 'state.sh'].map((name, index) => {
  const file = join(world.dir, name);
  writeFileSync(file, scripts[index] ?? 'exit 99\n');
  return file;
});

await writeKey(join(world.dir, 'bob'), 'bob');
const bob = keyAt(join(world.dir, 'bob'));
const signers = await server.git(['cat-file', 'blob', 'refs/heads/main:allowed_signers']);
const begin = await server.head();
const records = await host.records();
const stateTip = await server.git(['rev-parse', 'refs/heads/state/web1']);

beforeEach(async () => {
  await server.git(['update-ref', 'refs/heads/main', begin]);
  await server.git(['update-ref', 'refs/heads/state/web1', stateTip]);
});

async function inClone(script: string, ...args: readonly string[]): Promise<RanProgram> {
  await world.git(['fetch', '--quiet', '--force', 'origin', '+refs/heads/*:refs/remotes/origin/*']);
  return run('sh', [script, ...args], { cwd: world.clone, env: world.env });
}

const checkConfiguration = (): Promise<RanProgram> => inClone(configuration, fleet.introduction);

describe('the script for the configuration', () => {
  const commit = (revision: Revision): Promise<string> => server.commit(revision);

  test('finds a fleet that is well, well', async () => {
    await commit({ subject: 'By an admin' });
    expect(await checkConfiguration()).toMatchObject({ code: 0, stdout: '' });
  });

  test.each([
    ['an unsigned commit', null],
    ['a commit by somebody who is no admin', bob],
  ])('names %s, and what stands above it is no better for a good signature', async (_what, key) => {
    const bad = await commit({ key });
    await commit({ subject: 'Above it' });
    expect(await checkConfiguration()).toMatchObject({
      code: 1,
      stdout: `${bad} is not signed by an admin of its parent ${begin}\n`,
    });
  });

  test('takes an admin from the commit above the one that adds the key, and until the one that removes it', async () => {
    const both = `${signers.trim()}\nbob namespaces="git" ${bob.line}\n`;
    await commit({ files: { allowed_signers: both } });
    await commit({ key: bob });
    const removed = await commit({ files: { allowed_signers: `${signers.trim()}\n` } });
    expect((await checkConfiguration()).code).toBe(0);
    const late = await commit({ key: bob });
    const expected = `${late} is not signed by an admin of its parent ${removed}\n`;
    expect(await checkConfiguration()).toMatchObject({ code: 1, stdout: expected });
  });

  test('a branch that is not the introduction’s is named', async () => {
    const other = await commit({ parents: [] });
    expect(await checkConfiguration()).toMatchObject({
      code: 1,
      stdout: `origin/main does not descend from ${fleet.introduction}\n`,
    });
    const merge = await commit({ parents: [begin, other] });
    const { code, stdout } = await checkConfiguration();
    expect(code).toBe(1);
    expect(stdout).toContain(`${other} does not descend from ${fleet.introduction}\n`);
    expect(stdout).not.toContain(`${merge} does not descend`);
  });

  test('a replace ref hides nothing', async () => {
    const bad = await commit({ key: null });
    await world.git(['fetch', '--quiet', 'origin']);
    await world.git(['replace', bad, begin]);
    const { code, stdout } = await checkConfiguration();
    await world.git(['replace', '--delete', bad]);
    expect({ code, stdout }).toMatchObject({ code: 1, stdout: expect.stringContaining(bad) as string });
  });
});

describe('the script for a host', () => {
  const key = /key: (ssh-ed25519 [A-Za-z0-9+/=]+)/.exec(fleet.fleetYaml('web1'))?.[1] ?? '';
  const genesis = records[0]?.id ?? '';
  const own = keyAt(host.path('var/lib/autark/key'));
  const check = (...more: readonly string[]): Promise<RanProgram> =>
    inClone(state, 'web1', key, genesis, ...more);
  const push = (parents: readonly string[], signed: PrivateKey, subject = 'web1: forged') =>
    server.commit({
      parents,
      tree: stateTip,
      key: signed,
      subject,
      ref: 'refs/heads/state/web1',
    });

  test('finds its history well', async () => {
    expect(await check()).toMatchObject({ code: 0, stdout: '' });
  });

  test('names a record by somebody else', async () => {
    const forged = await push([stateTip], bob);
    const { code, stdout } = await check();
    expect(code).toBe(1);
    expect(stdout.split('\n')[0]).toBe(`${forged} is not signed by web1`);
  });

  test('names a number left out, although the host signed it', async () => {
    const skipped = await push([stateTip], own, 'web1: later\n\nAutark-Host: web1\nAutark-Seq: 7');
    const expected = `${skipped} does not say that it is web1/${records.length}\n`;
    expect(await check()).toMatchObject({ code: 1, stdout: expected });
  });

  test('checks the records of a machine before by their tip, and names one that is not followed', async () => {
    expect(await check('origin', stateTip)).toMatchObject({ code: 0, stdout: '' });
    const [first = ''] = records.map(({ id }) => id);
    const said = 'web1: on\n\nAutark-Host: web1\nAutark-Seq: 1\nAutark-Replaces: ';
    const replacing = (tip: string) => push([first, stateTip], own, `${said}${tip}`);
    await replacing(stateTip);
    expect(await check()).toMatchObject({ code: 0, stdout: '' });
    const other = await replacing(first);
    const expected = `${other} names ${first} as the machine before, and does not follow it\n`;
    expect(await check()).toMatchObject({ code: 1, stdout: expected });
  });

  test('names another beginning', async () => {
    const first = await push([], own, 'web1: enrolled\n\nAutark-Host: web1\nAutark-Seq: 0');
    const expected = `origin/state/web1 begins with ${first}, not with ${genesis}\n`;
    expect(await check()).toMatchObject({ code: 1, stdout: expected });
  });
});
