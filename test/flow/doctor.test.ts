import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { type Diagnosis, diagnose } from '../rig/diagnosis.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed } from '../rig/fleet.ts';
import { setSettings } from '../rig/interval.ts';
import { writeKey } from '../rig/world.ts';

let fleet: Fleet & { readonly host: FleetHost };
let host: FleetHost;
beforeAll(async () => {
  fleet = await makeDeployed('autark-doctor');
  host = fleet.host;
});
afterAll(() => fleet.world.remove());

/** Looks at the host alone, from a folder that is no clone. */
const doctor = (): Promise<Diagnosis> => diagnose(fleet.world, { cwd: fleet.world.dir, root: host.root });

let daemon: Daemon | undefined;
afterEach(async () => {
  await daemon?.kill();
  daemon = undefined;
});

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
    // The clone is looked at as well, and `init` has left nothing to be mended there.
    expect(code).toBe(0);
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
