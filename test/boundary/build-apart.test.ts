import { chmodSync, lstatSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openPrograms } from '../../agent/adapters/process.ts';
import { isAlive, processStart, bootId } from '../../agent/adapters/proc.ts';
import { systemRandom } from '../../agent/adapters/random.ts';
import { removeTree } from '../../agent/adapters/remove-tree.ts';
import { fileSystems } from '../../agent/adapters/systems.ts';
import { ok } from '../../shared/failure.ts';
import { valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { bounds } from './git-rig.ts';

/** No user of this machine. */
const builder = { uid: 64_102, gid: 64_102 };

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'autark-builder-'));
  onTestFinished(() => removeTree(folder));
  chmodSync(folder, 0o711);
  return folder;
}

/** Runs a build script with a reserved directory, and gives back both. */
async function build(script: string) {
  const state = makeFolder();
  const programs = openPrograms(undefined, builder);
  const systems = fileSystems({ state, random: systemRandom(), searchPath: '/usr/bin:/bin', builder });
  const out = valueOf(await systems.reserve());
  const file = join(state, 'build');
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const ran = await programs.run(
    {
      ...{ file, args: [], cwd: state, env: { PATH: '/usr/bin:/bin', out }, outputCap: 2 ** 20 },
      ...{ leftovers: 'end', isBuild: true, onStart: () => Promise.resolve(ok(undefined)) },
    },
    bounds(),
  );
  return { ran, out, systems };
}

const activation =
  'mkdir -p $out/bin; printf "#!/bin/sh\\n" >$out/bin/switch-to-configuration; chmod 755 $out/bin/*';

describeWith(['root'], 'an exec build as a user of its own (S7)', () => {
  test('is nobody of consequence, and may write to its own directory alone', async () => {
    const { ran, out } = await build(
      'cat /proc/self/status >$out/status; touch "${0%/*}/planted" && echo written; exit 0',
    );
    expect(ran.ending).toEqual({ how: 'exited', code: 0 });
    expect(ran.tail).not.toMatch(/^written$/m);
    const status = readFileSync(join(out, 'status'), 'utf8');
    expect(status).toMatch(/^Uid:\t64102\t64102\t64102\t64102$/m);
    expect(status).toMatch(/^Groups:\t *$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
  });

  test('leaves a system that is root’s, whose programs run as nobody else', async () => {
    const { out, systems } = await build(
      `${activation}; cp /bin/true $out/tool; chmod 6755 $out/tool; chmod 3755 $out/bin; ln -s /etc/shadow $out/link`,
    );
    const before = lstatSync('/etc/shadow');
    valueOf(await systems.seal(out));
    for (const path of ['', 'bin', 'bin/switch-to-configuration', 'tool', 'link']) {
      const { uid, gid, mode } = lstatSync(join(out, path));
      expect({ uid, gid }, path).toEqual({ uid: 0, gid: 0 });
      if (path !== 'link') expect(mode & 0o7777, path).toBe(0o755);
    }
    expect(lstatSync('/etc/shadow')).toMatchObject({ uid: before.uid, gid: before.gid, mode: before.mode });
  });

  test('leaves no process behind, however it was begun', async () => {
    const { ran, out } = await build(
      "setsid sh -c 'echo $$ >$out/pid; exec sleep 1000' & until [ -s $out/pid ]; do sleep 0.05; done",
    );
    expect(ran.ending).toEqual({ how: 'exited', code: 0 });
    const pid = Number(readFileSync(join(out, 'pid'), 'utf8'));
    expect(pid).toBeGreaterThan(1);
    const started = processStart(pid);
    expect(started === null || !isAlive({ pid, started, boot: bootId() })).toBe(true);
  });

  test('what a killed agent left running of it is ended by the next', async () => {
    const state = makeFolder();
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const stray = openPrograms(undefined, builder).run(
      {
        ...{ file: '/bin/sh', args: ['-c', 'sleep 1000'], cwd: state, env: { PATH: '/usr/bin:/bin' } },
        ...{ outputCap: 2 ** 20, leftovers: 'end', isBuild: true },
        onStart: () => {
          begin();
          return Promise.resolve(ok(undefined));
        },
      },
      bounds(),
    );
    await begun;
    // Not by its number: the journal of a killed agent may not have that yet.
    await openPrograms(undefined, builder).endLeftover({ pid: 2 ** 22, started: 1, boot: 'another' });
    expect((await stray).ending).toEqual({ how: 'signalled', signal: 'SIGKILL' });
  });
});
