import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writePack } from '../../agent/adapters/git/pack.ts';
import { type GitObject, objectId } from '../../shared/objects/object.ts';
import { gitRig } from './git-rig.ts';

const blob = (size: number): GitObject => ({ type: 'blob', bytes: Buffer.alloc(size, 'abc') });

test('git indexes and verifies a pack, and finds every object by its name', () => {
  const rig = gitRig();
  const tree: GitObject = { type: 'tree', bytes: new Uint8Array() };
  const person = 'a <a@example.org> 0 +0000';
  const commit: GitObject = {
    type: 'commit',
    bytes: Buffer.from(`tree ${objectId(tree)}\nauthor ${person}\ncommitter ${person}\n\nx\n`),
  };
  const tag: GitObject = {
    type: 'tag',
    bytes: Buffer.from(`object ${objectId(commit)}\ntype commit\ntag v1\ntagger ${person}\n\nx\n`),
  };
  // Around each border of the size's encoding: 4, 11, 18 and 25 bits.
  const sizes = [0, 15, 16, 2047, 2048, 262_143, 262_144, 33_554_432];
  const objects = [tree, commit, tag, ...sizes.map(blob)];
  const pack = join(rig.folder, 'x.pack');
  writeFileSync(pack, writePack(objects));
  execFileSync('git', ['index-pack', '--strict', pack], { cwd: rig.remote, stdio: 'pipe' });
  const listed = execFileSync('git', ['verify-pack', '-v', pack]).toString().split('\n');
  for (const object of objects) {
    expect(
      listed.some(
        (line) =>
          line.startsWith(`${objectId(object)} ${object.type}`) && line.includes(` ${object.bytes.length} `),
      ),
    ).toBe(true);
  }
  expect(listed.at(-2)).toContain('ok');
});

test('an empty pack is a pack', () => {
  // PACK, version 2, no objects; SHA-1 of that as sha1sum(1) gives it.
  expect(Buffer.from(writePack([])).toString('hex')).toBe(
    '5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e',
  );
});
