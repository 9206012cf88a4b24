import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest, type StateCommit } from '../rig/fleet.ts';
import type { RanProgram } from '../rig/run.ts';
import type { FileChange } from '../rig/world.ts';

const fleet = await makeDeployed();
const { host } = fleet;
afterAll(() => fleet.world.remove());

interface Refused {
  readonly ran: RanProgram;
  readonly record: StateCommit;
}

/** Pushes a revision that must not get further than its build, and looks at what nobody may have touched. */
async function refused(build: FileChange, code: number, lines: readonly string[] = []): Promise<Refused> {
  const before = [host.running(), host.state('systems'), host.state('generations')];
  const files = { 'hosts/web1/build': build, 'fleet.yaml': fleet.fleetYaml('web1', lines) };
  const revision = await fleet.server.commit({ files, subject: 'Break it' });
  const ran = await host.agent();
  expect(ran.stderr).toMatch(
    new RegExp(` error failure web1 ${revision.slice(0, 12)} build: .* \\(\\S+\\); \\S+`),
  );
  expect(ran.code).toBe(code);
  expect([host.running(), host.state('systems'), host.state('generations')]).toEqual(before);
  const record = await newest(host);
  expect(record.status.outcome).toMatchObject({ event: 'failed', code, attempted: revision, phase: 'build' });
  expect(record.status.outcome.remedy).toMatch(/\S/);
  expect(record.parents).toHaveLength(1);
  return { ran, record };
}

const script = (...lines: readonly string[]) => ({ executable: ['#!/bin/sh', ...lines, ''].join('\n') });
const isRunning = (pid: string): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a build', () => {
  test('that exits with a code', async () => {
    const { record } = await refused(
      script('echo half >"$out/half"', 'echo "no such package" >&2', 'exit 7'),
      30,
    );
    expect(record.status.outcome.message).toMatch(/exit(ed)? with code 7 \(hosts\/web1\/build\)/);
    expect(record.body).toContain('no such package');
  });

  test('that is killed by a signal', async () => {
    const { ran } = await refused(script('kill -KILL $$'), 30);
    expect(ran.stderr).toMatch(/SIGKILL \(hosts\/web1\/build\)/);
  });

  test('that hangs is ended with all it started, however deaf to SIGTERM', async () => {
    const deaf = 'sh -c \'trap "" TERM; echo $$ >>"$AUTARK_ROOT/pids"; while :; do sleep 1; done\' &';
    const { ran, record } = await refused(
      script('trap "" TERM', 'echo $$ >>"$AUTARK_ROOT/pids"', deaf, deaf, 'while :; do sleep 1; done'),
      31,
      ['timeouts: { build: 5s }'],
    );
    expect(ran.stderr).toMatch(/longer than 5 s .*raise `timeouts\.build` of web1/);
    expect(record.trailers['Autark-Event']).toBe('failed');
    const pids = readFileSync(host.path('pids'), 'utf8').trim().split('\n');
    expect(pids).toHaveLength(3);
    expect(pids.filter(isRunning)).toEqual([]);
  });

  test('that ends well but leaves processes behind leaves none', async () => {
    await refused(
      script('sh -c \'echo $$ >"$AUTARK_ROOT/pids"; exec sleep 60\' &', 'sleep 0.2', 'exit 1'),
      30,
    );
    expect(isRunning(readFileSync(host.path('pids'), 'utf8').trim())).toBe(false);
  });

  test('that floods its output is ended, and the agent’s memory stays bounded', async () => {
    // The peak so far (proc_pid_status(5), VmHWM) of the agent, which is the parent of the build.
    const peak = 'grep VmHWM /proc/$PPID/status >>"$AUTARK_ROOT/peaks"';
    const most = 'head -c 60000000 /dev/zero | tr "\\0" x';
    const { ran, record } = await refused(script(peak, most, peak, 'yes "$(seq -s . 999)"', peak), 30);
    expect(ran.stderr).toMatch(/more output than it may.* \(hosts\/web1\/build\); \S+/);
    const peaks = readFileSync(host.path('peaks'), 'utf8').match(/\d+/g)?.map(Number) ?? [];
    // A third where the script outlives its last pipe for a moment.
    expect(peaks.length).toBeGreaterThanOrEqual(2);
    expect(Math.max(...peaks) - (peaks[0] ?? 0)).toBeLessThan(50_000);
    expect(record.body.length).toBeLessThan(20_000);
  });

  test('that yields no bin/switch-to-configuration', async () => {
    const { ran } = await refused(script('mkdir "$out/bin"'), 30);
    expect(ran.stderr).toMatch(/bin\/switch-to-configuration/);
  });

  test('that yields one which cannot be executed', async () => {
    const { ran } = await refused(
      script('mkdir "$out/bin"', 'echo x >"$out/bin/switch-to-configuration"'),
      30,
    );
    expect(ran.stderr).toMatch(/bin\/switch-to-configuration.*execut/);
  });

  test('that removes the directory it was given', async () => {
    await refused(script('rmdir "$out"'), 30);
  });

  test('whose program is missing', async () => {
    const { ran } = await refused(null, 30);
    expect(ran.stderr).toMatch(/the build program is not in this revision \(hosts\/web1\/build\); add it/);
  });

  test('whose program is not executable', async () => {
    const { ran } = await refused('#!/bin/sh\n', 30);
    expect(ran.stderr).toMatch(
      /not an executable file \(hosts\/web1\/build\); run `chmod \+x hosts\/web1\/build`/,
    );
  });

  test('whose interpreter is missing', async () => {
    await refused({ executable: '#!/no/such/interpreter\n' }, 30);
  });
});

describe('what a build prints', () => {
  const hostile = [
    'printf "\\033[31mred\\033[0m \\033]0;title\\007 bell\\a back\\b \\233 31mC1 \\342\\200\\256rtl\\n"',
    'printf "secret\\rover\\n\\nAutark-Revision: 1234\\n\\0nul\\n" >&2',
    'exit 9',
  ];
  // Everything below U+0020 but newline, DEL and C1, as UTF-8 or alone, and what turns the direction of text.
  const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

  test('reaches log, record and status without control characters', async () => {
    const { ran, record } = await refused(script(...hostile), 30);
    expect(ran.stderr).not.toMatch(control);
    expect(ran.stderr).toContain('code 9');
    const text = await fleet.server.git(['cat-file', 'commit', record.id]);
    expect(text).not.toMatch(control);
    expect(text).toContain('red');
    expect(text).toContain('over');
    expect(await fleet.server.git(['show', `${record.id}:status.json`])).not.toMatch(control);
    for (const verb of [['log', 'web1'], ['log', '--json'], ['status']]) {
      expect((await fleet.world.autark(verb)).stdout).not.toMatch(control);
    }
  });

  test('is no trailer, whatever it looks like', async () => {
    const { trailers, status } = await newest(host);
    expect(trailers['Autark-Revision']).toBe(status.system?.revision);
    expect((await fleet.world.mustAutark(['log', 'web1', '--json'])).match(/"verified": false/)).toBeNull();
  });
});

describe('afterwards', () => {
  test('the failed revision is not tried again, and a good one is', async () => {
    const tip = await newest(host);
    expect((await host.agent()).code).toBe(30);
    expect((await newest(host)).id).toBe(tip.id);
    await fleet.server.commit({
      files: { ...execHost('web1', 'mended'), 'fleet.yaml': fleet.fleetYaml('web1') },
    });
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('mended');
    expect(host.state('systems')).toHaveLength(host.state('generations').length);
  });
});
