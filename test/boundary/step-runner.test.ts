import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSteps } from '../../agent/adapters/steps/steps.ts';
import type { StepEnded, StepOrder } from '../../agent/step-ports.ts';
import { loopDevice, tool } from '../rig/fake-disk.ts';
import { describeWith } from '../rig/needs.ts';
import { processesOf } from '../rig/processes.ts';

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'autark-test-steps-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const steps = (env: Record<string, string> = {}) =>
  openSteps({ folder: join(folder, 'run/steps'), endings: join(folder, 'endings'), env, hasSystemd: false });

/** Runs a shell script as a step does, and clears up. */
async function runs(
  script: string,
  {
    env = {},
    timeout = 30_000,
    ...more
  }: Partial<StepOrder> & { env?: Record<string, string>; timeout?: number } = {},
): Promise<StepEnded> {
  const file = join(folder, 'program');
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const runner = steps(env);
  const order: StepOrder = {
    ...{ name: 'step-1', file, cwd: folder, env: { PATH: path, GIVEN: 'yes' } },
    ...{ credentials: [], earlier: new Map(), reachesDevices: false },
    onStart: () => Promise.resolve({ ok: true, value: undefined }),
    ...more,
  };
  const ended = await runner.run(order, { timeout, signal: new AbortController().signal });
  if (ended.how === 'left') throw new Error('it was left alone');
  expect(await runner.clear()).toEqual({ ok: true, value: undefined });
  return ended;
}
const good = { how: 'exited', code: 0 };

describe('what a step is given', () => {
  test('credentials arrive to the letter, in its environment alone, and their files are gone', async () => {
    const value = `a'b"c $HOME \`id\`\n second line \\n\n`;
    writeFileSync(join(folder, 'FROM_FILE'), 'by systemd\n');
    const ended = await runs(
      'printf %s "$SECRET" >"$AUTARK_YIELD/value"; printf %s "$FROM_FILE" >"$AUTARK_YIELD/file"\n' +
        'ls "$AUTARK_YIELD/../credentials" >"$AUTARK_YIELD/left"\n' +
        'for pid in /proc/[0-9]*; do tr "\\0" " " <"$pid/cmdline"; done 2>/dev/null | grep -c "[s]econd line" >"$AUTARK_YIELD/argv"; true',
      {
        env: { SECRET: value, CREDENTIALS_DIRECTORY: folder, OTHER: 'x' },
        credentials: ['SECRET', 'FROM_FILE'],
      },
    );
    expect(ended.ending, ended.output).toEqual(good);
    const text = (name: string) => Buffer.from(ended.yields.get(name) ?? []).toString();
    expect([text('value'), text('file'), text('left'), text('argv')]).toEqual([
      value,
      'by systemd',
      '',
      '0\n',
    ]);
    expect(await steps({ SECRET: '' }).lacking(['SECRET', 'NONE'])).toEqual(['NONE']);
  });

  test('its environment is what it was given, its input is empty, and results lie beside it', async () => {
    const earlier = new Map([['account', new Map([['token', Buffer.from('x')]])]]);
    const ended = await runs('env | cut -d= -f1 | sort; cat; cat "$AUTARK_RESULTS/account/token"; pwd', {
      earlier,
    });
    const [...lines] = ended.output.split('\n');
    // The shell that the script runs in adds its own.
    expect(lines.filter((each) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(each))).toEqual([
      ...['AUTARK_RESULTS', 'AUTARK_YIELD', 'GIVEN', 'PATH', `x${folder}`, ''],
    ]);
  });

  test('a run begins with nothing of another one', async () => {
    const first = await runs('echo x >"$AUTARK_YIELD/a"; exit 1');
    expect([...first.yields.keys()]).toEqual(['a']);
    const again = await runs('ls "$AUTARK_YIELD"');
    expect([again.output, again.yields.size]).toEqual(['', 0]);
  });

  test('its room is for its user alone, in memory, and gone afterwards', async () => {
    const ended = await runs(
      'stat -f -c %T "$AUTARK_YIELD"; stat -c %a "$AUTARK_YIELD/../.." ; echo "$AUTARK_YIELD"',
    );
    const [type, mode, place = ''] = ended.output.trim().split('\n');
    expect(['tmpfs', 'ramfs']).toContain(type);
    expect(mode).toBe('700');
    expect(existsSync(place)).toBe(false);
  });
});

describe('how a step ends', () => {
  test('output is kept from both streams in order, and an exit code is its own', async () => {
    const ended = await runs('echo one; echo two >&2; echo three; exit 7');
    expect(ended).toMatchObject({
      ending: { how: 'exited', code: 7 },
      output: 'one\ntwo\nthree\n',
      unkept: null,
    });
  });

  test('one that takes too long is ended with all that it started', async () => {
    const mark = `9${process.pid}.25`;
    const ended = await runs(`sleep ${mark} & sleep ${mark}`, { timeout: 1500 });
    expect(ended.ending).toEqual({ how: 'timeout' });
    expect(processesOf(mark)).toEqual([]);
  });

  test.each([
    ['a link', 'ln -s /etc/shadow "$AUTARK_YIELD/b"', 'b'],
    [
      'a hard link',
      'ln "$0.other" "$AUTARK_YIELD/b" 2>/dev/null || ln "$AUTARK_YIELD/a" "$AUTARK_YIELD/b"',
      'a',
    ],
    ['a pipe', 'mkfifo "$AUTARK_YIELD/b"', 'b'],
    ['a folder', 'mkdir "$AUTARK_YIELD/b"', 'b'],
    ['an odd name', 'touch "$AUTARK_YIELD/b c"', 'b c'],
    ['a hidden file', 'touch "$AUTARK_YIELD/.b"', '.b'],
    ['too much', 'head -c 1100000 /dev/zero >"$AUTARK_YIELD/b"', 'b'],
    ['too many', 'for i in $(seq 100 160); do touch "$AUTARK_YIELD/b$i"; done', 'b149'],
  ])('%s among what it yields is not kept, and said', async (_, script, named) => {
    const ended = await runs(`echo x >"$AUTARK_YIELD/a"\n${script}`);
    expect(ended.unkept).toContain(JSON.stringify(named));
    expect(ended.yields.has(named)).toBe(false);
  });
});

describeWith(['disks'], 'block devices, for a step that declares none', () => {
  test('are out of its reach by every way, and within that of one that does', async () => {
    const loop = await loopDevice(8);
    await tool('mkfs.ext4', '-q', '-L', 'precious', loop);
    const label = () => tool('blkid', '-p', '-s', 'LABEL', '-o', 'value', loop);
    const { rdev } = statSync(loop);
    const number = `${rdev >> 8} ${rdev & 255}`;
    // What other tests mount meanwhile lies in folders of their own (proc_pid_mountinfo(5), field 5).
    const isOthers = (line: string): boolean => {
      const point = line.split(' ')[4] ?? '';
      return point.startsWith(`${tmpdir()}/`) && !point.startsWith(folder);
    };
    const mounts = (): readonly string[] =>
      readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => !isOthers(line));
    const before = mounts();
    const digest = () => tool('sha256sum', loop);
    const whole = await digest();
    const zero = (device: string) => `dd if=/dev/zero of=${device} bs=4096 count=4 conv=notrunc`;
    const ways: Record<string, string> = {
      path: `[ ! -e ${loop} ] || ${zero(loop)}`,
      'another process': `${zero(`/proc/1/root${loop}`)}; ${zero(`/proc/$PPID/root${loop}`)}`,
      mknod: `mknod node b ${number}; ${zero('node')}`,
      'mknod in memory': `mknod "$AUTARK_YIELD/../node" b ${number}; ${zero('"$AUTARK_YIELD/../node"')}`,
      'the number’s path': zero(`/dev/block/${number.replace(' ', ':')}`),
      'mknod in /tmp': `mknod "/tmp/autark-node-$$" b ${number}; ${zero('"/tmp/autark-node-$$"')}; rm -f "/tmp/autark-node-$$"`,
      'the kernel’s own files': `echo 1 >/sys/block/${basename(loop)}/ro; echo add >/sys/block/${basename(loop)}/uevent`,
      mount: `mkdir m; mount -t devtmpfs dev m; ${zero(`m/${basename(loop)}`)}`,
      unmount: `umount -l /dev; ${zero(loop)}`,
      'another user namespace': `unshare --user --map-root-user --mount sh -c 'umount -l /dev; mount -t devtmpfs dev /mnt; ${zero(loop)}'`,
      'the first process’s namespaces': `nsenter --target 1 --mount -- ${zero(loop)}`,
      'a new loop device': `losetup -f program; losetup -d ${loop}`,
    };
    for (const [way, script] of Object.entries(ways)) {
      const ended = await runs(`${script}\ntest -b ${loop} && echo SEEN\ntrue`);
      expect(ended.ending, way).toEqual(good);
      expect(ended.output, way).not.toContain('SEEN');
      expect(await digest(), way).toBe(whole);
      for (const left of ['m', 'node']) rmSync(join(folder, left), { recursive: true, force: true });
    }
    expect(mounts()).toEqual(before);
    const allowed = await runs(zero(loop), { reachesDevices: true });
    expect(allowed.ending, allowed.output).toEqual(good);
    await expect(label()).rejects.toThrow();
  });

  test('one that cannot be set apart does not run', async () => {
    const fakes = join(folder, 'fakes');
    mkdirSync(fakes);
    writeFileSync(join(fakes, 'setpriv'), '#!/bin/sh\necho no such thing >&2; exit 1\n', { mode: 0o755 });
    const file = join(folder, 'second');
    writeFileSync(file, '#!/bin/sh\ntouch ran-anyway\n', { mode: 0o755 });
    const runner = steps();
    const refused = await runner.run(
      {
        ...{ name: 'step-2', file, cwd: folder, env: { PATH: `${fakes}:${path}` } },
        ...{ credentials: [], earlier: new Map(), reachesDevices: false },
        onStart: () => Promise.resolve({ ok: true, value: undefined }),
      },
      { timeout: 30_000, signal: new AbortController().signal },
    );
    await runner.clear();
    expect(refused).toMatchObject({ how: 'ended', ending: { how: 'unstartable' } });
    expect(existsSync(join(folder, 'ran-anyway'))).toBe(false);
  });
});
