import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed } from '../rig/fleet.ts';
import { type Front, startFront } from '../rig/front.ts';
import { setSettings } from '../rig/interval.ts';
import { describeWith } from '../rig/needs.ts';
import { must, run, type RanProgram } from '../rig/run.ts';
import { listenOn } from '../rig/served.ts';
import { type SshServer, startSshServer } from '../rig/ssh-server.ts';
import { program, writeKey } from '../rig/world.ts';

interface Finding {
  readonly rule: string;
  readonly code: number;
  readonly where: string | null;
  readonly cause: string;
  readonly remedy: string;
}

interface Said {
  readonly code: number | null;
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  /** The finding of a rule; `undefined` when there is none. */
  readonly of: (rule: string) => Finding | undefined;
  /** How a check came out. */
  readonly is: (rule: string) => string | undefined;
}

let fleet: Fleet & { readonly host: FleetHost };
let host: FleetHost;
let daemon: Daemon | undefined;
beforeAll(async () => {
  fleet = await makeDeployed('autark-doctor');
  host = fleet.host;
});
afterEach(async () => {
  await daemon?.kill();
  daemon = undefined;
});
afterAll(() => fleet.world.remove());

/** Looks at the host alone, from a folder that is no clone. */
async function doctor(
  before: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const call = [...before, process.execPath, program, 'doctor', '--json', '--root', host.root];
  return saidBy(await run('env', call, { cwd: fleet.world.dir, env: { ...fleet.world.env, ...env } }));
}

function saidBy({ code, stdout, stderr }: RanProgram): Said {
  expect(stderr).toBe('');
  const { ok, findings, checks } = JSON.parse(stdout) as {
    ok: boolean;
    findings: readonly Finding[];
    checks: readonly { rule: string; is: string }[];
  };
  return {
    ...{ code, ok, findings },
    of: (rule) => findings.find((each) => each.rule === rule),
    is: (rule) => checks.find((each) => each.rule === rule)?.is,
  };
}

/** Something other for as long as the work takes. */
async function whileSo<Value>(
  change: () => void,
  back: () => void,
  work: () => Promise<Value>,
): Promise<Value> {
  change();
  return work().finally(back);
}

/** Every file below a folder, with what it is, when it was changed, and what is in it. */
function pictureOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const { mode, mtimeMs, ino } = lstatSync(path);
      const isLink = (mode & 0o170000) === 0o120000;
      const isFile = (mode & 0o170000) === 0o100000;
      const content = isLink ? readlinkSync(path) : isFile ? readFileSync(path) : '';
      return [name, mode, mtimeMs, ino, createHash('sha256').update(content).digest('hex')].join(' ');
    });
}

describe('a host', () => {
  test('with its agent running is well: exit 0, a line a check', async () => {
    daemon = startDaemon(fleet.world, host);
    await daemon.next({ event: 'idle' });
    const said = await doctor();
    expect(said.findings).toEqual([]);
    expect(said).toMatchObject({ code: 0, ok: true });
    for (const rule of ['agent.yaml', 'host-key', 'journal', 'space', 'remote', 'units', 'agent', 'state'])
      expect([rule, said.is(rule)]).toEqual([rule, 'well']);
    const { stdout, code } = await fleet.world.autark(['doctor', '--root', host.root]);
    const lines = stdout.split('\n');
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}ok {4}agent {12}it runs \(process \d+\)$/));
    expect(lines.filter((line) => line.startsWith('clone '))).toHaveLength(1);
    // The clone is looked at as well, and has no hook.
    expect(code).toBe(1);
  });

  test('is left as it was, and so are the clone and a running agent', async () => {
    daemon = startDaemon(fleet.world, host);
    await daemon.next({ event: 'idle' });
    const before = [host.root, fleet.world.clone].map(pictureOf);
    await fleet.world.autark(['doctor', '--root', host.root]);
    expect([host.root, fleet.world.clone].map(pictureOf)).toEqual(before);
    await fleet.server.commit({ files: execHost('web1', 'still at work') });
    await daemon.next({ event: 'recorded', record: 'deployed' });
  });

  test('whose agent was killed is told so, and how to start it', async () => {
    const killed = startDaemon(fleet.world, host);
    await killed.next({ event: 'idle' });
    expect((await doctor()).is('agent')).toBe('well');
    await killed.kill();
    expect((await doctor()).of('agent')).toMatchObject({ code: 1, cause: 'the agent was killed' });
  });

  test('whose key is open, missing, no key or another one is told which', async () => {
    const key = host.path('var/lib/autark/key');
    const aside = `${key}.aside`;
    const withOther = (make: () => void) =>
      whileSo(
        () => {
          renameSync(key, aside);
          make();
        },
        () => {
          renameSync(aside, key);
        },
        () => doctor(),
      );
    const open = await whileSo(
      () => {
        chmodSync(key, 0o644);
      },
      () => {
        chmodSync(key, 0o600);
      },
      () => doctor(),
    );
    expect(open.of('host-key')).toMatchObject({
      code: 2,
      remedy: expect.stringContaining(`chmod 600 ${key}`) as string,
    });
    expect(open.code).toBe(2);
    expect((await withOther(() => undefined)).of('host-key')).toMatchObject({ code: 2, where: key });
    const other = join(fleet.world.dir, 'other_key');
    await writeKey(other, 'other');
    const another = await withOther(() => {
      copyFileSync(other, key);
    });
    expect(another.of('host-key')).toMatchObject({ code: 22, where: key });
    const garbage = await withOther(() => {
      writeFileSync(key, 'no key\n', { mode: 0o600 });
    });
    expect(garbage.of('host-key')).toMatchObject({ code: 2 });
  });

  test('whose journal somebody else could write, or is gone, is told so (10)', async () => {
    const journal = host.path('var/lib/autark/journal.json');
    const writable = await whileSo(
      () => {
        chmodSync(journal, 0o666);
      },
      () => {
        chmodSync(journal, 0o600);
      },
      () => doctor(),
    );
    expect(writable.of('journal')).toMatchObject({
      code: 10,
      cause: expect.stringContaining('0666') as string,
    });
    const gone = await whileSo(
      () => {
        renameSync(journal, `${journal}.aside`);
      },
      () => {
        renameSync(`${journal}.aside`, journal);
      },
      () => doctor(),
    );
    expect(gone.of('journal')).toMatchObject({
      code: 10,
      remedy: expect.stringContaining('--resume') as string,
    });
  });

  test('whose agent.yaml is not valid is told the line, and the rest is looked at as far as it can be', async () => {
    const file = host.path('etc/autark/agent.yaml');
    const text = readFileSync(file, 'utf8');
    const said = await whileSo(
      () => {
        writeFileSync(file, `${text}colour: red\n`);
      },
      () => {
        writeFileSync(file, text);
      },
      () => doctor(),
    );
    expect(said.code).toBe(2);
    expect(said.of('agent.yaml')?.where).toMatch(/agent\.yaml:\d+:1$/);
    expect([said.is('remote'), said.is('host-key'), said.is('space')]).toEqual([
      'unknown',
      'unknown',
      'well',
    ]);
  });

  test('repeats what its agent last found, with the code and what to do', async () => {
    await fleet.server.commit({ files: { 'fleet.yaml': fleet.fleetYaml('web1', ['colour: red']) } });
    expect((await host.agent()).code).toBe(21);
    expect((await doctor()).of('state')).toMatchObject({
      code: 21,
      remedy: expect.stringContaining('push') as string,
    });
    await fleet.server.commit({ files: { 'fleet.yaml': fleet.fleetYaml('web1') } });
    expect((await host.agent()).code).toBe(0);
    expect((await doctor()).is('state')).toBe('well');
  });

  test('a branch that the server lacks is named', async () => {
    const file = host.path('etc/autark/agent.yaml');
    const text = readFileSync(file, 'utf8');
    const said = await whileSo(
      () => {
        setSettings(host, { branch: 'trunk' });
      },
      () => {
        writeFileSync(file, text);
      },
      () => doctor(),
    );
    expect(said.of('remote')).toMatchObject({
      code: 50,
      cause: expect.stringContaining('no branch trunk') as string,
    });
  });
});

describe('an http server', () => {
  test.each([
    [
      'off by three hours',
      { date: -3 * 3_600_000, status: 404 },
      'clock',
      '3 hours ahead of that of 127.0.0.1',
    ],
    ['right', { date: 0, status: 404 }, 'remote', 'no repository'],
    ['pointing elsewhere', { date: 0, status: 301 }, 'remote', 'http://127.0.0.1/elsewhere.git'],
    ['asking who we are', { date: 0, status: 401 }, 'remote', '401'],
  ])('%s is told apart', async (_name, { date, status }, rule, words) => {
    const server = createServer((_request, response) => {
      const headers = {
        Date: new Date(Date.now() + date).toUTCString(),
        ...(status === 301 ? { Location: 'http://127.0.0.1/elsewhere.git/info/refs' } : {}),
        ...(status === 401 ? { 'WWW-Authenticate': 'Basic realm=x' } : {}),
      };
      response.writeHead(status, headers).end();
    });
    const port = await listenOn(server);
    const file = host.path('etc/autark/agent.yaml');
    const text = readFileSync(file, 'utf8');
    try {
      setSettings(host, { remote: `http://127.0.0.1:${port}/fleet.git` });
      const said = await doctor();
      expect(said.of(rule)?.cause).toContain(words);
      expect(said.is('clock')).toBe(date === 0 ? 'well' : 'not-well');
    } finally {
      writeFileSync(file, text);
      server.close();
    }
  });
});

describeWith(['sshd', 'ssh-keygen'], 'a server over ssh', () => {
  let ssh: SshServer;
  let front: Front;
  let text: string;
  const file = (): string => host.path('etc/autark/agent.yaml');
  const known = (): string => host.path('etc/autark/known_hosts');
  const gitKey = (): string => join(fleet.world.dir, 'git_key');

  beforeAll(async () => {
    ssh = await startSshServer(fleet.world.dir);
    front = await startFront(ssh.port);
    text = readFileSync(file(), 'utf8');
    const make = ['-q', '-t', 'ed25519', '-N', '', '-f', gitKey()];
    await must('ssh-keygen', make, { env: fleet.world.env });
    setSettings(host, { remote: ssh.url(fleet.world.remote), gitKey: gitKey() });
  });
  afterAll(async () => {
    writeFileSync(file(), text);
    await front.stop();
    await ssh.stop();
  });

  test('that is not known, that does not know this host, that is gone: each has its own next step', async () => {
    const unknown = (await doctor()).of('remote');
    expect(unknown).toMatchObject({
      code: 50,
      cause: expect.stringContaining('host key is not known') as string,
    });
    expect(unknown?.remedy).toContain(`ssh-keyscan -p ${ssh.port} 127.0.0.1 >> ${known()}`);

    writeFileSync(known(), ssh.knownHost());
    const refused = (await doctor()).of('remote');
    expect(refused).toMatchObject({ code: 50, cause: expect.stringContaining('refuses the key') as string });
    expect(refused?.remedy).toContain(`register ${gitKey()}.pub`);

    ssh.allow(readFileSync(`${gitKey()}.pub`, 'utf8'), 'web1');
    expect((await doctor()).is('remote')).toBe('well');

    await ssh.changeHostKey();
    expect((await doctor()).of('remote')?.cause).toContain('is not the one known');
    await ssh.stop();
    expect((await doctor()).of('remote')?.cause).toContain('nothing takes connections at 127.0.0.1');
  });

  test('that says nothing is given up, and the rest is told', async () => {
    front.be({ kind: 'silent' });
    setSettings(host, { remote: `ssh://git@127.0.0.1:${front.port}/x` });
    const begun = performance.now();
    const said = await doctor();
    expect(said.of('remote')).toMatchObject({
      code: 50,
      cause: expect.stringContaining('longer than 20 s') as string,
    });
    expect(said.is('journal')).toBe('well');
    expect(performance.now() - begun).toBeLessThan(60_000);
  });
});

/** Looks from a mount namespace of its own, in which a shell first mounts something. */
const mounting = (script: string): readonly string[] => [
  ...['unshare', '--mount', '--propagation', 'private', 'sh', '-euc', `${script}\nexec "$@"`, 'mounting'],
];

describeWith(['root'], 'where a host’s files lie', () => {
  const state = (): string => host.path('var/lib/autark');

  test('a state folder in memory is lost at the next reboot, a bind mount from a disk is not', async () => {
    expect((await doctor()).is('persistence')).toBe('well');
    const [all, etc] = [host.path('var'), host.path('etc')];
    const copied = `cp -a "${all}" "${all}.disk"; mount -t tmpfs none "${all}"; cp -a "${all}.disk/." "${all}"`;
    const inMemory = await doctor(mounting(`rm -rf "${all}.disk"; ${copied}`));
    expect(inMemory.findings.filter(({ rule }) => rule === 'persistence')).toMatchObject([
      { code: 1, where: state(), cause: expect.stringContaining(`tmpfs at ${all}`) as string },
      { where: `${state()}/key`, cause: expect.stringContaining('the host key is lost') as string },
    ]);
    // What lies in memory is empty here: the folder of the disk comes back on top of it.
    const bound = `mount -t tmpfs none "${all}"; mkdir -p "${state()}"; mount --bind "${all}.disk/lib/autark" "${state()}"`;
    expect((await doctor(mounting(bound))).is('persistence')).toBe('well');
    const settings = `cp -a "${etc}" "${etc}.copy"; mount -t ramfs none "${etc}"; cp -a "${etc}.copy/." "${etc}"; rm -r "${etc}.copy"`;
    expect((await doctor(mounting(settings))).of('persistence')).toMatchObject({
      where: `${etc}/autark/agent.yaml`,
      cause: expect.stringContaining('ramfs') as string,
    });
  });

  test('of an overlay the upper layer counts', async () => {
    const var_ = host.path('var');
    const layers = join(fleet.world.dir, 'layers');
    mkdirSync(layers, { recursive: true });
    const overlay = (memory: string): string =>
      `${memory} mkdir -p "${layers}/up" "${layers}/work"; ` +
      `mount -t overlay overlay -o "lowerdir=${var_},upperdir=${layers}/up,workdir=${layers}/work" "${var_}";`;
    const inMemory = await doctor(mounting(overlay(`mount -t tmpfs none "${layers}";`)));
    expect(inMemory.of('persistence')?.cause).toContain(
      `upper layer ${layers}/up lies on tmpfs at ${layers}`,
    );
    expect((await doctor(mounting(overlay('')))).is('persistence')).toBe('well');
  });

  test('a small disk is short, one without inodes as well: 52', async () => {
    const small = (options: string, more = ''): readonly string[] =>
      mounting(
        `cp -a "${state()}" "${state()}.full"; mount -t tmpfs -o ${options},mode=0700 none "${state()}"; ` +
          `cp -a "${state()}.full/." "${state()}"; rm -r "${state()}.full"; ${more}`,
      );
    const bytes = await doctor(small('size=20m'));
    expect(bytes.of('space')).toMatchObject({ code: 52, where: state() });
    const files = `for n in $(seq 1 1700); do true >"${state()}/f$n" || break; done 2>/dev/null`;
    const inodes = await doctor(small('size=200m,nr_inodes=1700', files));
    expect(inodes.of('space')).toMatchObject({
      code: 52,
      remedy: expect.stringContaining('df -i') as string,
    });
    expect((await doctor(small('size=200m'))).is('space')).toBe('well');
  });

  test('a folder that cannot be written to is told so', async () => {
    const readOnly = `mount --bind "${state()}" "${state()}"; mount -o remount,bind,ro "${state()}"`;
    expect((await doctor(mounting(readOnly))).of('persistence')).toMatchObject({
      where: state(),
      cause: expect.stringContaining('cannot be written to') as string,
    });
  });
});
