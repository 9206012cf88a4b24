import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { PrivateKey } from '../../shared/trust/ssh-key.ts';
import { execHost } from '../rig/exec-system.ts';
import { keyAt, makeDeployed, newest } from '../rig/fleet.ts';
import { forge } from '../rig/forged.ts';
import { setSettings } from '../rig/interval.ts';
import { loseAllButKeys } from '../rig/lives.ts';
import { endAll } from '../rig/processes.ts';
import { pin, pinOf } from '../rig/replacing.ts';
import { must } from '../rig/run.ts';
import { expectAtRest } from '../rig/sound.ts';
import { takeSnapshot } from '../rig/stops.ts';
import { writeKey } from '../rig/world.ts';

/** A machine in the place of another, among people who would like to give it another past. */
const fleet = await makeDeployed('autark-replace-odd');
const { host: old, server, world } = fleet;
const fresh = await fleet.enrol('web1', 'web1-new');
const mallory: PrivateKey = await writeKey(join(world.dir, 'mallory'), 'mallory');
const before = await server.head();
const tip = (await newest(old)).id;
const revision = await pin(fleet, 'web1', pinOf(fresh), execHost('web1', 'new'));
const snapshot = takeSnapshot(world, fresh);
afterAll(async () => {
  endAll(world.dir);
  await world.remove();
});
beforeEach(() => {
  snapshot.restore();
  // The clone has seen what never was now.
  rmSync(join(world.clone, '.git/autark/readers.json'), { force: true });
});

interface Audit {
  readonly code: number | null;
  readonly findings: readonly { readonly rule: string; readonly where: string; readonly cause: string }[];
}
async function verify(): Promise<Audit> {
  const { code, stdout } = await world.autark(['verify', '--json']);
  return { code, ...(JSON.parse(stdout) as Pick<Audit, 'findings'>) };
}
async function verdicts(): Promise<readonly boolean[]> {
  const { stdout } = await world.autark(['log', 'web1', '--json']);
  return (JSON.parse(stdout) as { entries: { verified: boolean }[] }).entries.map(({ verified }) => verified);
}

/** A revision that pins mallory's key as web1's, beside the branch. */
async function usurping(key: PrivateKey | null): Promise<string> {
  const yaml = await server.git(['show', `${before}:fleet.yaml`]);
  const files = { 'fleet.yaml': `${yaml.replace(/key: ssh-ed25519 \S+/, `key: ${mallory.line}`)}\n` };
  const id = await server.commit({ files, parents: [before], key, ref: 'refs/heads/side' });
  return id;
}

describe('the tip of a stranger is not the machine’s before', () => {
  test.each<[string, () => Promise<object>]>([
    ['who names what the fleet accepted', () => Promise.resolve({})],
    ['who names a revision that nobody signed', async () => ({ accepted: await usurping(null) })],
    [
      'who names one that an admin signed, and that no branch of the fleet took',
      async () => ({ accepted: await usurping(fleet.admin) }),
    ],
    ['who names none', () => Promise.resolve({ accepted: null })],
    ['who names what is not there', () => Promise.resolve({ accepted: 'd'.repeat(40) })],
  ])('%s: it is overwritten and reported', async (_who, more) => {
    const said = await more();
    const forged = await forge(server, old, { key: mallory, status: () => said });
    expect((await verify()).findings).toMatchObject([{ rule: 'S8', where: forged }]);
    const ran = await fresh.agent();
    expect(ran.code, ran.stderr).toBe(0);
    const record = await newest(fresh);
    expect(record.parents).toEqual([pinOf(fresh).genesis, revision]);
    expect(record.trailers).not.toHaveProperty('Autark-Replaces');
    // It was seen before this machine knew that the branch is its own, so the next record says it.
    expect(ran.stderr).toContain(`held ${forged}, which this host did not sign`);
    expect((JSON.parse(fresh.journal()) as { reports: string[] }).reports).toEqual([
      expect.stringContaining(forged),
    ]);
    expect((await verify()).code).toBe(0);
  });
});

describe('readers are not fooled', () => {
  /** The new machine lies: its first record names this one. */
  async function named(forged: string): Promise<string> {
    expect((await fresh.agent()).code).toBe(0);
    const { id, parents } = await newest(fresh);
    const [genesis = '', , deployed = ''] = parents;
    const message = await server.git(['log', '-1', '--format=%B', id]);
    return server.commit({
      ...{ tree: id, parents: [genesis, forged, deployed], ref: 'refs/heads/state/web1' },
      key: keyAt(fresh.path('var/lib/autark/key')),
      subject: message.replace(/(Autark-Replaces:) .*/, `$1 ${forged}`).trimEnd(),
    });
  }

  test.each<[string, () => Promise<object>, RegExp]>([
    ['key that was never pinned', () => Promise.resolve({}), /what the machine before recorded: /],
    [
      'key that a revision beside the branch pins',
      async () => ({ accepted: await usurping(fleet.admin) }),
      /which the branch shown here does not hold/,
    ],
  ])('by records under a %s, even where the machine itself vouches for them', async (_what, more, why) => {
    const said = await more();
    const forged = await forge(server, old, { key: mallory, status: () => said });
    await server.git(['update-ref', 'refs/heads/state/web1', tip]);
    await named(forged);
    const { code, findings } = await verify();
    expect(code).toBe(20);
    expect(findings).toMatchObject([
      { rule: 'S8', where: forged, cause: expect.stringMatching(why) as string },
    ]);
    // What is the machine's own stays verified; nobody vouches for what is not.
    expect(await verdicts()).toEqual([true, true, false, false, false]);
  });

  test('by a hole in what the machine before recorded', async () => {
    const forged = await forge(server, old, {
      status: (status) => ({ seq: status.seq + 5 }),
      message: (text) => text.replace(/Autark-Seq: 2/, 'Autark-Seq: 7'),
    });
    await server.git(['update-ref', 'refs/heads/state/web1', tip]);
    await named(forged);
    const { code, findings } = await verify();
    expect(code).toBe(20);
    expect(findings).toMatchObject([{ rule: 'S8', where: tip }]);
    expect(await verdicts()).toEqual([true, true, true, false, false]);
  });

  test('by a server that goes back to the machine before, once they saw the new one', async () => {
    expect((await fresh.agent()).code).toBe(0);
    expect((await verify()).code).toBe(0);
    await server.git(['update-ref', 'refs/heads/state/web1', tip]);
    const { stdout } = await world.autark(['status', '--json']);
    expect(stdout).toMatch(
      /"state": "failed",\s+"cause": "its branch is gone from the server, where record 1 /,
    );
    expect((await verify()).code).toBe(20);
  });
});

test('the old machine writes once more before the first record arrives: that is reported, and all ends well', async () => {
  await server.git(['config', 'receive.maxInputSize', '1']);
  expect((await fresh.agent()).code).not.toBe(0);
  expect(fresh.motd()).toBe('new');
  await server.git(['config', '--unset', 'receive.maxInputSize']);
  const late = await forge(server, old, {});
  const ran = await fresh.agent();
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stderr).toContain(`held ${late}, which this host did not sign`);
  expectAtRest(fresh, ran.stderr);
  const record = await newest(fresh);
  expect(record.parents[1]).toBe(tip);
  expect((await fresh.agent()).code).toBe(0);
  expect((await newest(fresh)).id).toBe(record.id);
  await server.commit({ files: execHost('web1', 'newer') });
  expect((await fresh.agent()).code).toBe(0);
  expect((await newest(fresh)).status.reports).toEqual([expect.stringContaining(late)]);
  expect((await verify()).code).toBe(0);
});

test('set back to the machine before by the server, the branch is pushed again, and that is said', async () => {
  expect((await fresh.agent()).code).toBe(0);
  const first = await newest(fresh);
  await server.git(['update-ref', 'refs/heads/state/web1', tip]);
  await server.commit({ files: execHost('web1', 'newer') });
  const ran = await fresh.agent();
  expect(ran.code, ran.stderr).toBe(0);
  const record = await newest(fresh);
  expect(record.parents[0]).toBe(first.id);
  expect(record.status.reports).toEqual([expect.stringMatching(/set back .* of the machine before/)]);
});

test('with states in a repository of their own it is the same, without the revision', async () => {
  const states = join(world.dir, 'states.git');
  await must('git', ['init', '--quiet', '--bare', states], { env: world.env });
  const git = (args: readonly string[]) => must('git', ['-C', states, ...args], { env: world.env });
  await server.git(['push', '--quiet', states, 'refs/heads/state/web1']);
  const there = world.root('web1-elsewhere');
  const file = join(there, 'etc/autark/agent.yaml');
  mkdirSync(dirname(file), { recursive: true });
  const key = join(world.dir, 'elsewhere_key');
  const { line } = await writeKey(key, 'web1');
  writeFileSync(file, readFileSync(fresh.path('etc/autark/agent.yaml')));
  const elsewhere = { ...fresh, root: there, path: (...parts: string[]) => join(there, ...parts) };
  setSettings(elsewhere, { key, stateRemote: states });
  const enrolled = await world.autark(['enroll', '--root', there]);
  expect(enrolled.code, enrolled.stderr).toBe(0);
  const journal = readFileSync(join(there, 'var/lib/autark/journal.json'), 'utf8');
  const { genesis } = JSON.parse(journal) as { genesis: string };
  await pin(fleet, 'web1', { key: line, genesis });
  const ran = await world.autark(['agent', '--once', '--root', there]);
  expect(ran.code, ran.stderr).toBe(0);
  const shown = await git([
    'log',
    '-1',
    '--format=%P|%(trailers:key=Autark-Replaces,valueonly)',
    'state/web1',
  ]);
  expect(shown.trim()).toBe(`${genesis} ${tip}|${tip}`);
});

test('a machine installed anew with the key that it had goes on in the same way', async () => {
  await server.git(['update-ref', 'refs/heads/main', before]);
  // While its branch is hidden it can begin anew; shown again, the branch is a machine's before.
  await server.git(['update-ref', '-d', 'refs/heads/state/web1']);
  loseAllButKeys(old);
  const enrolled = await world.autark(['enroll', '--root', old.root]);
  expect(enrolled.code, enrolled.stderr).toBe(0);
  expect(enrolled.stdout).toContain('autark approve web1 --replace --fingerprint ');
  await server.git(['update-ref', 'refs/heads/state/web1', tip]);
  const anew = pinOf(old);
  await pin(fleet, 'web1', anew, execHost('web1', 'anew'));
  const ran = await old.agent();
  expect(ran.code, ran.stderr).toBe(0);
  const record = await newest(old);
  expect(record.parents.slice(0, 2)).toEqual([anew.genesis, tip]);
  expect(record.status.reports).toBeUndefined();
  expect((await verify()).code).toBe(0);
});
