import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { writePack } from '../../agent/adapters/git/pack.ts';
import { type GitObject, objectId } from '../../shared/objects/object.ts';
import { chooseSeed, failureOf, seeded, valueOf } from '../agent/adapters/scratch.ts';
import { patience } from '../rig/patience.ts';
import { built, runModule } from './children.ts';
import { bounds, gitRig, loosen, loosePath, type GitRig } from './git-rig.ts';

const blob = (bytes: Uint8Array): GitObject => ({ type: 'blob', bytes });

/** Processes that read objects of this Git directory. */
function readers({ directory }: GitRig): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const isReader = readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'git\0cat-file\0--batch\0';
        return isReader && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`GIT_DIR=${directory}\0`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** A PATH with a git that takes a question, notes it in the file `asked`, and never answers. */
function hangingGit({ folder }: GitRig): string {
  mkdirSync(join(folder, 'bin'));
  const script = `#!/bin/sh\nread -r x && echo "$x" > ${join(folder, 'asked')}\nexec sleep 1000\n`;
  writeFileSync(join(folder, 'bin/git'), script, { mode: 0o755 });
  return `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`;
}

describe('objects', () => {
  test('of any size and kind are read back as they are, many at a time, by one process', async () => {
    const rig = gitRig();
    const seed = chooseSeed();
    const random = seeded(seed);
    const small = Array.from({ length: 300 }, () => Math.floor(random() * 5000));
    const objects = [0, 1, 65_535, 65_536, 300_000, ...small].map((size, index) => {
      // Bytes that look like the protocol, newlines foremost.
      const noise = Array.from({ length: size }, () => 10 + Math.floor(random() * 3));
      return blob(Buffer.from([...noise, index % 256]));
    });
    valueOf(await rig.git.store(writePack(objects)));
    const read = await Promise.all(objects.map((object) => rig.git.read(objectId(object))));
    read.forEach((result, index) => {
      const { type, bytes } = valueOf(result);
      expect(type, `seed ${seed}`).toBe('blob');
      const same = Buffer.compare(bytes, objects[index]?.bytes ?? Buffer.alloc(0)) === 0;
      expect(same, `seed ${seed}, object ${index}`).toBe(true);
    });
    expect(readers(rig)).toHaveLength(1);
    const commit = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    expect(valueOf(await rig.git.read(commit)).type).toBe('commit');
    expect(valueOf(await rig.git.read(rig.at(['rev-parse', `${commit}^{tree}`]))).type).toBe('tree');
    expect(readers(rig)).toHaveLength(1);
  });

  test('that are not there fail alone', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    const ids = [head, '0'.repeat(39) + '1', `${head}\n${head}`, head];
    const results = await Promise.all(ids.map((id) => rig.git.read(id)));
    expect(results.map(({ ok }) => ok)).toEqual([true, false, false, true]);
    expect(results[1]).toMatchObject({
      failure: { kind: 'unreachable', cause: 'the Git directory lacks this object' },
    });
  });

  test('whose bytes are not what their name says are refused (S5), and fetched anew', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    const honest = valueOf(await rig.git.read(head));
    loosen(rig);
    const forged = Buffer.from(Buffer.from(honest.bytes).toString('latin1').replace('one', 'two'), 'latin1');
    rmSync(loosePath(rig, head));
    const header = Buffer.from(`commit ${forged.length}\0`);
    writeFileSync(loosePath(rig, head), deflateSync(Buffer.concat([header, forged])));
    const git = rig.open();
    const failure = failureOf(await git.read(head));
    expect(failure.kind).toBe('unreachable');
    expect(failure.where).toContain(head);
    expect(valueOf(await git.fetchHead(bounds()))).toBe(head);
    expect(valueOf(await git.read(head))).toEqual(honest);
  });

  test('that git cannot even unpack fail alone', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    const tree = rig.at(['rev-parse', `${head}^{tree}`]);
    valueOf(await rig.git.fetchHead(bounds()));
    loosen(rig);
    chmodSync(loosePath(rig, tree), 0o644);
    writeFileSync(loosePath(rig, tree), 'nonsense');
    const results = await Promise.all([head, tree, head, tree, head].map((id) => rig.git.read(id)));
    expect(results.map(({ ok }) => ok)).toEqual([true, false, true, false, true]);
    expect(results[1]).toMatchObject({ failure: { kind: 'unreachable' } });
  });

  test('above the cap are not taken in, and the next are', async () => {
    const rig = gitRig();
    const git = rig.open({ objectCap: 1000 });
    const [fits, large] = [blob(Buffer.alloc(1000, 'a')), blob(Buffer.alloc(1001, 'a'))];
    valueOf(await git.store(writePack([fits, large])));
    const wanted = [large, fits, large, fits];
    const results = await Promise.all(wanted.map((object) => git.read(objectId(object))));
    expect(results.map(({ ok }) => ok)).toEqual([false, true, false, true]);
    expect(results[0]).toMatchObject({
      failure: { kind: 'invalid', cause: 'the object has 1001 bytes, more than 1000' },
    });
  });

  test('are read on when the reading process was killed', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    valueOf(await rig.git.read(head));
    for (const pid of readers(rig)) process.kill(pid, 'SIGKILL');
    const results = await Promise.all(Array.from({ length: 50 }, () => rig.git.read(head)));
    expect(results.every(({ ok }) => ok)).toBe(true);
  });

  test('of a process that hangs are given up after their time', async () => {
    const rig = gitRig();
    const git = rig.open({ env: { PATH: hangingGit(rig) }, readTimeout: 100 });
    expect(failureOf(await git.read('0'.repeat(40))).cause).toContain('no answer within');
  });
});

describe('the reading process', () => {
  test('goes when reading is closed, and comes when it is asked again', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    expect(readers(rig)).toEqual([]);
    valueOf(await rig.git.read(head));
    await rig.git.close();
    expect(readers(rig)).toEqual([]);
    valueOf(await rig.git.read(head));
  });

  test('when closed leaves no question open', async () => {
    const rig = gitRig();
    const git = rig.open({ env: { PATH: hangingGit(rig) } });
    const open = git.read('0'.repeat(40));
    await vi.waitFor(() => {
      expect(existsSync(join(rig.folder, 'asked'))).toBe(true);
    }, patience);
    await git.close();
    expect(failureOf(await open).cause).toBe('reading was ended');
  });

  test('keeps nobody alive, and does not outlive the agent', async () => {
    const rig = gitRig();
    const head = rig.commit('main', 'one');
    valueOf(await rig.git.fetchHead(bounds()));
    const agent = `
      import { openGit } from ${built('git/git')};
      const [, directory, remote, head] = process.argv;
      const git = openGit({ directory, remote, branch: 'main', host: 'web1', access: { knownHosts: [] }, env: process.env });
      console.log((await git.read(head)).ok);`;
    const lines: string[] = [];
    // It ends by itself: nothing is closed.
    await runModule(agent, [rig.directory, rig.remote, head], (line) => lines.push(line)).ended;
    expect(lines).toEqual(['true']);
    await vi.waitFor(() => {
      expect(readers(rig)).toEqual([]);
    }, patience);
  });
});
