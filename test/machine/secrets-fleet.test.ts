import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { commonFiles, unitFile } from '../rig/debian-example.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { type Lab, type LabHost, labNeeds, makeLab, patience } from '../rig/lab.ts';
import { describeWith } from '../rig/needs.ts';
import { run } from '../rig/run.ts';

/** Values that are found nowhere by chance. */
const value = (): string => randomBytes(24).toString('hex');
const seen = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Waits for a secret, and leaves a digest of what it found of it, each time that it starts. */
const user = unitFile(
  'ExecStartPre=/bin/sh -c "sha256sum <$SECRET | cut -c 1-64 >>/srv/uses"',
  'ExecStart=/usr/bin/sleep infinity',
  'User=daemon',
  'Environment=SECRET=/etc/app/db-password',
).replace(
  '[Service]',
  '[Unit]\nRequires=autark-secret@db-password.service\nAfter=autark-secret@db-password.service\n[Service]',
);

describeWith([...labNeeds, 'ext4', 'age'], 'secrets on a booted machine', () => {
  let lab: Lab;
  let host: LabHost;
  const values = { db: value(), tls: value() };
  const planted: string[] = Object.values(values);
  beforeAll(async () => {
    lab = await makeLab('autark-secrets');
    await lab.fleet.server.commit({
      files: commonFiles(),
      subject: 'Begin',
    });
    host = await lab.join('web1', ['--system', 'exec', '--build', 'common/build'], {
      disk: { megabytes: 512 },
    });
    await host.must(['sh', '-c', 'install -m 666 /dev/null /srv/uses']);
    await host.settles(await lab.fleet.server.head());
  });
  afterAll(() => lab.remove());
  journalsOnFailure(() => [host]);

  const shell = (script: string): Promise<string> => host.must(['sh', '-c', script]);
  const secret = async (args: readonly string[], input = ''): Promise<string> => {
    await lab.fleet.world.git(['pull', '--quiet']);
    const done = await lab.fleet.world.autark(['secret', ...args, '--push'], { input });
    expect(done.code, done.stderr).toBe(0);
    return lab.fleet.server.head();
  };
  const set = (name: string, text: string, options: readonly string[] = []): Promise<string> =>
    secret(['set', name, '--host', 'web1', ...options], text);
  const uses = async (): Promise<readonly string[]> =>
    (await shell('cat /srv/uses')).split('\n').filter(Boolean);
  const showsState = async (unit: string): Promise<string> =>
    (await host.run(['systemctl', 'show', '--property=ActiveState', '--value', unit])).stdout.trim();

  test('are there for the units that wait for them, with their owner, and in memory alone', async () => {
    await set('tls-key', values.tls);
    const options = ['--owner', 'daemon', '--path', '/etc/app/db-password'];
    expect(await host.settles(await set('db-password', values.db, options))).toBe('deployed');
    const files = { 'common/units/uses.service': user };
    expect(await host.settles(await lab.fleet.server.commit({ files, subject: 'Use it' }))).toBe('deployed');
    await vi.waitUntil(async () => (await uses()).includes(seen(values.db)), patience);
    expect(await shell('stat --dereference --format "%U %a" /etc/app/db-password')).toBe('daemon 400');
    expect(await shell('stat --file-system --format %T /run/autark/secrets/tls-key')).toBe('ramfs');
    // Below a directory through which others may go, and which they may not list.
    expect(await shell('stat --dereference --format %a /run/autark/secrets')).toBe('751');
    expect(await shell('runuser -u nobody -- cat /run/autark/secrets/tls-key 2>&1 || true')).toMatch(
      /Permission denied/,
    );
  });

  test('a new value restarts its unit once, and one that was only sealed anew does not', async () => {
    const before = (await uses()).length;
    values.db = value();
    planted.push(values.db);
    const restart = ['--restart', 'uses.service'];
    expect(await host.settles(await set('db-password', values.db, restart))).toBe('deployed');
    await vi.waitUntil(async () => (await uses()).includes(seen(values.db)), patience);
    // Another reader: the same values, sealed to one more key.
    const yaml = await lab.fleet.server.git(['show', 'main:fleet.yaml']);
    const reader = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
    const [first = ''] = /^readers:\n *- .*\n/m.exec(yaml) ?? [];
    await lab.fleet.server.commit({
      files: { 'fleet.yaml': `${yaml.replace(first, `${first}  - ${reader}\n`)}\n` },
      subject: 'A recovery key',
    });
    await lab.fleet.world.git(['pull', '--quiet']);
    const sealed = await lab.fleet.world.autark(['rekey', '--push']);
    expect(sealed.code, sealed.stderr).toBe(0);
    expect(await host.settles(await lab.fleet.server.head())).toBe('unchanged');
    expect(await uses()).toHaveLength(before + 1);
  });

  test('values that change together restart their unit once, reload another, and are in no argument meanwhile', async () => {
    const counts = unitFile(
      ...['ExecStartPre=/bin/sh -c "echo start >>/srv/counts"', 'ExecStart=/usr/bin/sleep infinity'],
      'ExecReload=/bin/sh -c "echo reload >>/srv/counts"',
    );
    const files = Object.fromEntries(
      ['one', 'two'].map((name) => [`common/units/${name}.service`, counts.replaceAll('counts', name)]),
    );
    expect(await host.settles(await lab.fleet.server.commit({ files, subject: 'Count' }))).toBe('deployed');
    const { world } = lab.fleet;
    const setAll = async (): Promise<string> => {
      await world.git(['pull', '--quiet']);
      for (const name of ['pair-a', 'pair-b']) {
        const text = value();
        planted.push(text);
        const units = ['--restart', 'one.service', '--reload', 'two.service'];
        const done = await world.autark(['secret', 'set', name, '--host', 'web1', ...units], { input: text });
        expect(done.code, done.stderr).toBe(0);
      }
      await world.git(['push', '--quiet']);
      return lab.fleet.server.head();
    };
    expect(await host.settles(await setAll())).toBe('deployed');
    await shell('truncate --size 0 /srv/one /srv/two');
    const looks = 'while :; do cat /proc/[0-9]*/cmdline; sleep 0.02; done >/run/arguments 2>/dev/null';
    await host.must(['systemd-run', '--quiet', '--unit=looks-at-arguments', 'sh', '-c', looks]);
    expect(await host.settles(await setAll())).toBe('deployed');
    await shell('systemctl stop looks-at-arguments');
    expect([await shell('cat /srv/one'), await shell('cat /srv/two')]).toEqual(['start', 'reload']);
    const seenThen = await shell(`tr '\\0' '\\n' </run/arguments | sort -u`);
    expect(seenThen).toContain('infinity');
    expect(planted.filter((text) => seenThen.includes(text))).toEqual([]);
    for (const name of ['pair-a', 'pair-b']) await secret(['remove', name]);
    await host.settles(await lab.fleet.server.head());
  });

  test('a unit that is to be restarted and that nobody knows is named, and the old value is back', async () => {
    const unknown = value();
    planted.push(unknown);
    const revision = await set('token', unknown);
    expect(await host.settles(revision)).toBe('deployed');
    const wrong = await set('token', `${unknown}!`, ['--restart', 'usse.service']);
    const { event, message } = await host.decides(wrong);
    expect(event).toBe('rolled-back');
    expect(message).toMatch(/the secret token is to restart usse\.service, which this machine does not know/);
    expect(await shell('sha256sum </run/autark/secrets/token | cut -c 1-64')).toBe(seen(unknown));
    expect(await host.settles(await secret(['remove', 'token']))).toBe('deployed');
  });

  test('after a power cut they are back without a network, and so is what waits for them', async () => {
    const before = (await uses()).length;
    await shell('sync');
    await host.plug.cut();
    await host.powerCut();
    await host.boot();
    await vi.waitUntil(async () => (await showsState('uses.service')) === 'active', patience);
    expect((await uses()).slice(before)).toEqual([seen(values.db)]);
    expect(await shell('sha256sum </run/autark/secrets/tls-key | cut -c 1-64')).toBe(seen(values.tls));
    await host.plug.mend();
  });

  test('one that was removed while the machine was off is gone once it has heard of that', async () => {
    await host.poweroff();
    const revision = await secret(['remove', 'tls-key']);
    await host.boot();
    expect(await host.settles(revision)).toBe('deployed');
    expect(await shell('ls /run/autark/secrets')).toBe('db-password');
  });

  test('one that cannot be opened fails its own unit with the reason, and holds up neither a boot nor others', async () => {
    const bad = await lab.fleet.server.git(['show', 'main:fleet.yaml']);
    const text = bad.replace(/^secrets:\n/m, 'secrets:\n  other: { hosts: [web1] }\n');
    const revision = await lab.fleet.server.commit({
      files: { 'fleet.yaml': `${text}\n` },
      subject: 'No value',
    });
    expect(await host.settles(revision)).toBe('deployed');
    expect((await host.records()).at(-1)?.status.outcome).toMatchObject({ code: 62 });
    await host.reboot();
    expect((await host.run(['systemctl', 'start', 'autark-secret@other.service'])).code).not.toBe(0);
    expect(await shell('journalctl --boot --output=cat --unit=autark-secret@other.service')).toMatch(
      /secret other: .*secrets\/other\.age/,
    );
    await vi.waitUntil(async () => (await showsState('uses.service')) === 'active', patience);
    expect(await shell('sha256sum </run/autark/secrets/db-password | cut -c 1-64')).toBe(seen(values.db));
  });

  test('an owner that is made later has its file as soon as its unit asks, and until then only root', async () => {
    const tokens = value();
    planted.push(tokens);
    expect(await host.settles(await set('token', tokens, ['--owner', 'later']))).toBe('deployed');
    expect(await shell('stat --dereference --format "%U %a" /run/autark/secrets/token')).toBe('root 400');
    expect((await host.run(['systemctl', 'start', 'autark-secret@token.service'])).code).not.toBe(0);
    await shell('useradd --system later && systemctl start autark-secret@token.service');
    expect(await shell('stat --dereference --format "%U %a" /run/autark/secrets/token')).toBe('later 400');
  });

  test('an owner that the system makes while it is activated has its file before the unit that needs it starts', async () => {
    const own = value();
    planted.push(own);
    await shell('install -m 666 /dev/null /srv/own');
    expect(await host.settles(await set('own', own, ['--owner', 'newly']))).toBe('deployed');
    expect(await shell('id newly 2>&1 || true')).toMatch(/no such user/);
    const makes = `[Unit]
Before=autark-secret@own.service
${unitFile('Type=oneshot', 'RemainAfterExit=yes', 'ExecStart=/usr/sbin/useradd --system newly')}`;
    const needs = `[Unit]
Requires=makes-newly.service autark-secret@own.service
After=makes-newly.service autark-secret@own.service
${unitFile(
  'User=newly',
  'ExecStartPre=/bin/sh -c "sha256sum </run/autark/secrets/own | cut -c 1-64 >>/srv/own"',
  'ExecStart=/usr/bin/sleep infinity',
)}`;
    const files = { 'common/units/makes-newly.service': makes, 'common/units/needs-own.service': needs };
    expect(await host.settles(await lab.fleet.server.commit({ files, subject: 'Newly' }))).toBe('deployed');
    await vi.waitUntil(async () => (await showsState('needs-own.service')) === 'active', patience);
    // At its first start, as that user.
    expect(await shell('cat /srv/own')).toBe(seen(own));
    expect(await shell('stat --dereference --format "%U %a" /run/autark/secrets/own')).toBe('newly 400');
  });

  /** An agent that has values in its memory, and one of no service of ours that leaves its memory behind where it crashes. */
  const crash = async (): Promise<void> => {
    const shown = 'systemctl show --property=MainPID --value autark.service';
    expect(await shell('systemctl show --property=LimitCORE --value autark.service')).toBe('0');
    const settings = ['--property=LimitCORE=infinity', '--property=WorkingDirectory=/srv'];
    await host.run(['sh', '-c', 'mark=left-by-a-crash; kill -s ABRT $$'], { settings });
    const cores = await shell('cat /proc/sys/kernel/core_pattern; ls /srv');
    if (!/^[|/]/.test(cores)) expect(cores).toMatch(/\bcore(\.\d+)?$/m);
    const before = await shell(shown);
    const text = value();
    planted.push(text);
    await host.settles(await set('token', text));
    await shell('systemctl kill --signal=ABRT autark.service');
    await vi.waitUntil(async () => !['0', before].includes(await shell(shown)), patience);
  };

  test('a value is nowhere else: not in Git, records, journals, processes, core dumps, or on the disk', async () => {
    // Looked for here: on the machine, what is looked for would be found where it is looked for.
    const finds = (text: string): readonly string[] => planted.filter((each) => text.includes(each));
    const { remote, env } = lab.fleet.world;
    const objects = await run('git', ['cat-file', '--batch-all-objects', '--batch', '--unordered'], {
      ...{ cwd: remote, env },
    });
    expect(objects.stdout).toContain('autark');
    expect(finds(objects.stdout)).toEqual([]);
    expect(finds(await shell('journalctl --output=json --no-pager'))).toEqual([]);
    const processes = await shell('cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null || true');
    expect(processes).toContain('sleep');
    expect(finds(processes)).toEqual([]);
    await crash();
    await shell('sync');
    await host.poweroff();
    const disk = await run('grep', [
      '--text',
      '--count',
      ...planted.flatMap((each) => ['-e', each]),
      host.image,
    ]);
    expect(disk.stdout.trim()).toBe('0');
    const control = await run('grep', ['--text', '--count', '-e', seen(values.db), host.image]);
    expect(Number(control.stdout.trim())).toBeGreaterThan(0);
    await host.boot();
  });
});
