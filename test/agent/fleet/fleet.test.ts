import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { execHost } from '../../rig/exec-system.ts';
import { patience } from '../../rig/patience.ts';
import { must, run } from '../../rig/run.ts';
import { makeWorld, program, type World } from '../../rig/world.ts';

interface Shown {
  readonly hosts: readonly Record<string, unknown>[];
}

interface Logged {
  readonly entries: readonly Record<string, unknown>[];
}

let world: World;
let introduction: string;

/** Two hosts that deployed, one of them twice, on real agents. */
beforeAll(async () => {
  world = await makeWorld('autark-fleet');
  introduction = await world.mustAutark(['init', '--key', world.adminKey, '--push']);
  for (const host of ['web1', 'web2']) {
    await world.commit(execHost(host, 'first'), `Write ${host}`);
    const root = ['--root', world.root(host)];
    const shown = await world.mustAutark([
      'enroll',
      ...root,
      '--remote',
      world.remote,
      '--host',
      host,
      '--introduction',
      introduction,
    ]);
    const print = shown.split('\n')[0] ?? '';
    await world.mustAutark([
      'approve',
      host,
      '--fingerprint',
      print,
      '--build',
      `hosts/${host}/build`,
      '--push',
    ]);
  }
  for (const host of ['web1', 'web2', 'web1']) await agentOnce(host);
  await world.commit(execHost('web1', 'second'), 'Change web1');
  await agentOnce('web1');
});

afterAll(() => world.remove());

async function agentOnce(host: string): Promise<void> {
  await must(process.execPath, [program, 'agent', '--once', '--root', world.root(host)], { env: world.env });
}

async function status(args: readonly string[] = []) {
  const ran = await world.autark(['status', '--json', ...args]);
  return { code: ran.code, hosts: (JSON.parse(ran.stdout) as Shown).hosts };
}

async function log(args: readonly string[]) {
  return (JSON.parse(await world.mustAutark(['log', '--json', ...args])) as Logged).entries;
}

/** Puts something else onto a branch of the server for a while. */
async function instead<Value>(ref: string, id: string, look: () => Promise<Value>): Promise<Value> {
  const at = { cwd: world.remote, env: world.env };
  const before = await must('git', ['rev-parse', ref], at);
  await must('git', ['update-ref', ref, id], at);
  try {
    return await look();
  } finally {
    await must('git', ['update-ref', ref, before], at);
  }
}

describe('status', () => {
  test('says what runs, and what is behind', async () => {
    const head = await world.git(['rev-parse', 'HEAD']);
    const shown = await status();
    expect(shown.hosts).toMatchObject([
      { host: 'web1', state: 'converged', code: 0, revision: head, behind: 0, generation: 2, verified: true },
      {
        host: 'web2',
        state: 'building',
        revision: expect.not.stringMatching(head) as string,
        behind: 1,
        generation: 1,
        verified: true,
      },
    ]);
    expect(shown.code).toBe(2);
    expect((await status(['web1'])).code).toBe(0);
  });

  test('has the keys of the contract, and no others', async () => {
    const keys = ['host', 'state', 'cause', 'code', 'revision', 'behind', 'generation', 'since', 'verified'];
    for (const host of (await status()).hosts) expect(Object.keys(host)).toEqual(keys);
  });

  test('never takes another host’s record, however good, for this host’s', async () => {
    const other = await must('git', ['rev-parse', 'refs/heads/state/web2'], {
      cwd: world.remote,
      env: world.env,
    });
    const shown = await instead('refs/heads/state/web1', other, () => status(['web1']));
    expect(shown).toMatchObject({ code: 1 | 2 | 8, hosts: [{ state: 'failed', verified: false }] });
  });

  test('shows something that is no record at all as not verified', async () => {
    const head = await world.git(['rev-parse', 'HEAD']);
    const shown = await instead('refs/heads/state/web1', head, () => status(['web1']));
    expect(shown.code).toBe(1 | 8);
    expect(shown.hosts).toMatchObject([
      { state: 'failed', verified: false, cause: 'it has no status.json', code: null },
    ]);
  });

  test('offline says what the clone knows', async () => {
    await status();
    const other = await must('git', ['rev-parse', 'refs/heads/state/web2'], {
      cwd: world.remote,
      env: world.env,
    });
    const shown = await instead('refs/heads/state/web1', other, () => status(['web1', '--offline']));
    expect(shown).toMatchObject({ code: 0, hosts: [{ state: 'converged', verified: true }] });
    await status();
  });

  test('a remote that is gone is 64, and its password is not shown', async () => {
    await world.git(['remote', 'set-url', 'origin', 'https://me:secret@127.0.0.1:9/fleet.git']);
    const ran = await world.autark(['status']);
    await world.git(['remote', 'set-url', 'origin', world.remote]);
    expect(ran.code).toBe(64);
    expect(ran.stderr).toContain('could not be fetched from (https://127.0.0.1:9/fleet.git)');
    expect(ran.stderr).not.toContain('secret');
  });

  test('--watch shows a change as another block, and ends well on Ctrl-C', async () => {
    const child = spawn(process.execPath, [program, 'status', '--watch'], {
      cwd: world.clone,
      env: world.env,
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const ended = new Promise((done) => child.once('close', done));
    try {
      await expect.poll(() => text, patience).toContain('web2');
      await agentOnce('web2');
      await expect.poll(() => text.split('HOST').length, patience).toBeGreaterThan(2);
    } finally {
      child.kill('SIGINT');
    }
    expect(await ended).toBe(0);
    expect(text).not.toContain('\u001b');
  });
});

describe('log', () => {
  test('is newest first, down to the genesis, and verified', async () => {
    const entries = await log(['web1']);
    expect(entries.map(({ event, verified, seq }) => [seq, event, verified])).toEqual([
      [2, 'deployed', true],
      [1, 'deployed', true],
      [0, 'enrolled', true],
    ]);
    const ids = await must('git', ['rev-list', '--first-parent', 'refs/heads/state/web1'], {
      cwd: world.remote,
      env: world.env,
    });
    expect(entries.map(({ commit }) => commit)).toEqual(ids.split('\n'));
  });

  test('filters', async () => {
    const head = await world.git(['rev-parse', 'HEAD']);
    expect(await log(['--event', 'enrolled'])).toHaveLength(2);
    expect(await log(['web1', '--revision', head.slice(0, 8)])).toHaveLength(1);
    expect(await log(['--since', '2099-01-01'])).toEqual([]);
    expect((await log(['--since', '1h'])).length).toBeGreaterThan(4);
  });

  test('a chain under another host’s name is listed as not verified', async () => {
    const other = await must('git', ['rev-parse', 'refs/heads/state/web1'], {
      cwd: world.remote,
      env: world.env,
    });
    const entries = await instead('refs/heads/state/web2', other, () => log(['web2']));
    expect(entries.map(({ verified }) => verified)).toEqual([false, false, false]);
  });
});

describe('a branch that holds no record', () => {
  const at = () => ({ cwd: world.remote, env: world.env });

  test('hides no other host’s log; it fails only for those who ask for it', async () => {
    const all = await log([]);
    const head = await world.git(['rev-parse', 'HEAD']);
    await must('git', ['update-ref', 'refs/heads/state/zzz', head], at());
    try {
      const ran = await world.autark(['log', '--json']);
      expect(ran.code).toBe(0);
      expect((JSON.parse(ran.stdout) as Logged).entries).toEqual(all);
      expect(ran.stderr).toContain('state/zzz is not a state record');
      const asked = await world.autark(['log', 'zzz']);
      expect(asked.code).toBe(1);
      expect(asked.stderr).toContain('state/zzz is not a state record');
    } finally {
      await must('git', ['update-ref', '-d', 'refs/heads/state/zzz'], at());
    }
  });

  test('under a host’s records ends its log there, and says so', async () => {
    const head = await world.git(['rev-parse', 'HEAD']);
    const tip = await must('git', ['rev-parse', 'refs/heads/state/web1'], at());
    const tree = await must('git', ['rev-parse', `${tip}^{tree}`], at());
    const upon = await must('git', ['commit-tree', '-m', 'x', '-p', head, tree], at());
    const ran = await instead('refs/heads/state/web1', upon, () => world.autark(['log', 'web1', '--json']));
    expect(ran.code).toBe(0);
    expect((JSON.parse(ran.stdout) as Logged).entries).toMatchObject([{ commit: upon, verified: false }]);
    expect(ran.stderr).toContain('a commit of state/web1 is not a state record');
  });
});

test('a wrong genesis is refused before anybody is asked', async () => {
  const at = { cwd: world.remote, env: world.env };
  const genesis = await must(
    'git',
    ['rev-list', '--max-parents=0', '--first-parent', 'refs/heads/state/web1'],
    at,
  );
  for (const [ref, problem] of [
    ['enroll/web9/0123456789abcdef', 'signed by another key than its ref names'],
    ['enroll/web1x/0123456789abcdef', 'signed by another key than its ref names'],
  ] as const) {
    await must('git', ['update-ref', `refs/heads/${ref}`, genesis], at);
    const ran = await run(process.execPath, [program, 'approve', ref.split('/')[1] ?? '', '--build', 'b'], {
      cwd: world.clone,
      env: world.env,
    });
    await must('git', ['update-ref', '-d', `refs/heads/${ref}`], at);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(problem);
  }
});
