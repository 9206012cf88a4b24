import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, parseTrailers, type StateCommit } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { must } from '../rig/run.ts';

/** One history with every kind of record that a plain life has; formats.md, "A state commit", word by word. */
let fleet: Fleet & { host: FleetHost };
let genesis: StateCommit,
  deployed: StateCommit,
  unchanged: StateCommit,
  failed: StateCommit,
  again: StateCommit;
type Five = [StateCommit, StateCommit, StateCommit, StateCommit, StateCommit];
let revisions: { hello: string; note: string; broken: string; mended: string };

const git = (args: readonly string[]): Promise<string> => fleet.server.git(args);

beforeAll(async () => {
  fleet = await makeDeployed();
  const { server, host } = fleet;
  const hello = await server.head();
  const note = await server.commit({ files: { 'notes.txt': 'x\n' }, subject: 'Note "it" down' });
  expect((await host.agent()).code).toBe(0);
  const build = { executable: '#!/bin/sh\nprintf "Autark-Revision: 0000\\n\\nAutark-Seq: 99\\n"\nexit 7\n' };
  const broken = await server.commit({ files: { 'hosts/web1/build': build }, subject: 'Break it' });
  expect((await host.agent()).code).toBe(30);
  const mended = await server.commit({ files: execHost('web1', 'again'), subject: 'Mend it' });
  expect((await host.agent()).code).toBe(0);
  revisions = { hello, note, broken, mended };
  [genesis, deployed, unchanged, failed, again] = (await host.records()) as Five;
});

afterAll(() => fleet.world.remove());

describe('a state commit', () => {
  test('holds status.json, and once it deploys what is sealed', async () => {
    const names = async (id: string): Promise<string> =>
      git(['ls-tree', '-r', '--format=%(objectmode) %(path)', id]);
    expect(await names(genesis.id)).toBe('100644 status.json');
    for (const { id } of [deployed, unchanged, failed, again])
      expect(await names(id)).toBe('100644 ledger.age\n100644 status.json');
  });

  test('follows the one before; the revision is the second parent of what was deployed or left alone', () => {
    expect(genesis.parents).toEqual([]);
    expect(deployed.parents).toEqual([genesis.id, revisions.hello]);
    expect(unchanged.parents).toEqual([deployed.id, revisions.note]);
    expect(failed.parents).toEqual([unchanged.id]);
    expect(again.parents).toEqual([failed.id, revisions.mended]);
  });

  test('is by the host, and its times are UTC and those of its status', async () => {
    for (const { id, author, committer, status } of await fleet.host.records()) {
      expect([author, committer]).toEqual(['web1 <web1@fleet>', 'web1 <web1@fleet>']);
      const dates = await git(['show', '-s', '--format=%ad %cd', '--date=raw', id]);
      const seconds = Math.floor(Date.parse(status.at) / 1000);
      expect(dates).toBe(`${seconds} +0000 ${seconds} +0000`);
    }
  });

  test('has a subject that a person wants to read', () => {
    expect(genesis.subject).toBe('web1: enrolled');
    expect(deployed.subject).toBe(
      `web1: deployed ${revisions.hello.slice(0, 7)} "Say hello" as generation 1`,
    );
    expect(unchanged.subject).toMatch(new RegExp(`^web1: unchanged by ${revisions.note.slice(0, 7)} "`));
    expect(failed.subject).toMatch(
      new RegExp(`^web1: failed at ${revisions.broken.slice(0, 7)} "Break it": `),
    );
    expect(again.subject).toBe(`web1: deployed ${revisions.mended.slice(0, 7)} "Mend it" as generation 2`);
  });

  test('has the trailers of formats.md, in its order, as git interpret-trailers reads them', async () => {
    const parsed = async (id: string) =>
      must('git', ['interpret-trailers', '--parse'], {
        env: fleet.world.env,
        input: await git(['show', '-s', '--format=%B', id]),
      });
    const keys = (text: string): string[] => text.split('\n').map((line) => line.replace(/:.*/, ''));
    const head = ['Autark-Fleet', 'Autark-Host', 'Autark-Genesis', 'Autark-Seq', 'Autark-Event'];
    const tail = ['Autark-Generation', 'Autark-System', 'Autark-Seconds'];
    expect(keys(await parsed(deployed.id))).toEqual([...head, 'Autark-Revision', ...tail]);
    expect(keys(await parsed(failed.id))).toEqual([...head, 'Autark-Revision', 'Autark-Attempted', ...tail]);
    expect(keys(await parsed(genesis.id))).toEqual(head.filter((key) => key !== 'Autark-Genesis'));
    expect(parseTrailers(await parsed(failed.id))).toEqual(failed.trailers);
  });

  test('says in its trailers what its status says', async () => {
    const records = await fleet.host.records();
    const [first] = records;
    records.forEach(({ trailers, status }, index) => {
      expect(trailers['Autark-Fleet']).toMatch(/^[0-9a-f]{32}$/);
      expect(trailers['Autark-Host']).toBe('web1');
      expect(trailers['Autark-Genesis']).toBe(index === 0 ? undefined : first?.id);
      expect(trailers['Autark-Seq']).toBe(String(index));
      expect(status.seq).toBe(index);
      expect(trailers['Autark-Event']).toBe(status.outcome.event);
      expect(trailers['Autark-Revision']).toBe(status.system?.revision);
      expect(trailers['Autark-System']).toBe(status.system?.path);
      expect(trailers['Autark-Attempted']).toBe(status.outcome.attempted);
      expect(trailers['Autark-Generation']).toBe(status.system?.generation.toString());
    });
    expect(records.map(({ status }) => status.outcome.event)).toEqual([
      ...['enrolled', 'deployed', 'unchanged', 'failed', 'deployed'],
    ]);
    expect(deployed.trailers['Autark-Seconds']).toMatch(/^\d+\.\d$/);
  });

  test('names as revision what runs after it, and as attempted what was tried', () => {
    expect(deployed.trailers['Autark-Revision']).toBe(revisions.hello);
    expect(unchanged.trailers['Autark-Revision']).toBe(revisions.note);
    expect(unchanged.trailers['Autark-Generation']).toBe('1');
    expect(failed.trailers['Autark-Revision']).toBe(revisions.note);
    expect(failed.trailers['Autark-Attempted']).toBe(revisions.broken);
    expect(failed.trailers['Autark-Seq']).toBe('3');
  });
});

describe('status.json', () => {
  const machine = ['boot', 'cpu', 'disks', 'id', 'kernel', 'memory', 'os'];
  const keys = [
    ...[
      'accepted',
      'agent',
      'at',
      'fleet',
      'format',
      'guarantees',
      'head',
      'host',
      'installation',
      'machine',
    ],
    ...['next', 'outcome', 'rebootRequired', 'seq', 'system'],
  ];

  test('has its keys, and no machine-id or serial in the clear', async () => {
    for (const { status } of await fleet.host.records()) {
      const found: Record<string, unknown> = { ...status };
      expect(Object.keys(found).sort()).toEqual(keys);
      expect(Object.keys(found['machine'] as object).sort()).toEqual(machine);
      expect(found).toMatchObject({ format: 1, host: 'web1', agent: { version: '0.2.0' } });
    }
    const id = await must('cat', ['/etc/machine-id']).catch(() => 'no machine-id');
    expect(await git(['show', `${again.id}:status.json`])).not.toContain(id);
  });

  test('has only RFC 3339 times in UTC, and promises the next record after this one', async () => {
    const text = await git(['show', `${again.id}:status.json`]);
    const times = [...text.matchAll(/"(at|since|next)": "([^"]*)"/g)];
    expect(times.map(([, key]) => key).sort()).toEqual(['at', 'next', 'since']);
    for (const [, , time] of times) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    const { at, next } = JSON.parse(text) as { at: string; next: string };
    // `heartbeat: 24h` is the default.
    expect(Date.parse(next) - Date.parse(at)).toBeGreaterThan(24 * 3_600_000);
  });

  test('says what was found, where, and what to do', () => {
    expect(failed.status).toMatchObject({
      ...{ accepted: revisions.broken, head: revisions.broken, rebootRequired: false },
      system: { kind: 'exec', generation: 1, revision: revisions.note },
      outcome: { event: 'failed', code: 30, attempted: revisions.broken, phase: 'build' },
    });
    expect(failed.status.outcome.message).toMatch(/exit(ed)? .*7.*\(hosts\/web1\/build\)/);
    expect(failed.status.outcome.remedy).not.toBe('');
    expect(again.status.outcome).toMatchObject({ event: 'deployed', code: 0 });
    expect(again.status.outcome).not.toHaveProperty('attempted');
  });
});

describe('plain git reads it', () => {
  const inClone = (args: readonly string[]): Promise<string> => fleet.world.git(args);

  test('the diary, what runs now, and who ever deployed a revision', async () => {
    await inClone(['fetch', '--quiet']);
    const diary = await inClone(['log', '--first-parent', '--format=%s', 'origin/state/web1']);
    expect(diary.split('\n')).toHaveLength(5);
    const format = '--format=%(refname:short) %(trailers:key=Autark-Revision,valueonly)';
    const runs = await inClone(['for-each-ref', format, 'refs/remotes/origin/state']);
    expect(runs.trim()).toBe(`origin/state/web1 ${revisions.mended}`);
    const deployedOnce = [
      'branch',
      '-r',
      '--list',
      'origin/state/*',
      '--format=%(refname:short)',
      '--contains',
    ];
    expect(await inClone([...deployedOnce, revisions.hello])).toBe('origin/state/web1');
    const unknown = await fleet.server.commit({
      files: { n: '' },
      ref: 'refs/heads/wip',
      subject: 'Not yet',
    });
    await inClone(['fetch', '--quiet']);
    expect(await inClone([...deployedOnce, unknown])).toBe('');
  });

  test('and finds nothing wrong with the objects', async () => {
    expect(await git(['fsck', '--strict', '--no-dangling', '--no-progress'])).toBe('');
  });
});

describeWith(['ssh-keygen'], 'OpenSSH verifies it', () => {
  test('by git verify-commit and by ssh-keygen alone, namespace git, and not once changed', async () => {
    const { world, host } = fleet;
    const signers = join(world.dir, 'host_signers');
    writeFileSync(
      signers,
      `web1@fleet namespaces="git" ${readFileSync(host.path('var/lib/autark/key.pub'), 'utf8')}`,
    );
    const config = ['-c', 'gpg.format=ssh', '-c', `gpg.ssh.allowedSignersFile=${signers}`];
    for (const { id } of await host.records()) {
      await expect(git([...config, 'verify-commit', id])).resolves.toBeDefined();
      const commit = `${await git(['cat-file', 'commit', id])}\n`;
      const found = /\ngpgsig (.*?)\n(?! )/s.exec(commit)?.[1] ?? '';
      const signature = join(world.dir, 'commit.sig');
      writeFileSync(signature, `${found.replace(/^ /gm, '')}\n`);
      const payload = commit.replace(/\ngpgsig .*?\n(?! )/s, '\n');
      const verify = ['-Y', 'verify', '-f', signers, '-I', 'web1@fleet', '-n', 'git', '-s', signature];
      const { env } = world;
      expect(await must('ssh-keygen', verify, { env, input: payload })).toMatch(/^Good "git" signature/);
      await expect(must('ssh-keygen', verify, { env, input: `${payload}x` })).rejects.toThrow(/exit/);
    }
  });
});
