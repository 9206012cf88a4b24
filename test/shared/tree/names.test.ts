import { describe, expect, test } from 'vitest';
import { collisionKey, refusedLink, refusedName } from '../../../shared/tree/names.ts';

describe('names', () => {
  test.each([
    'a',
    '.gitignore',
    '.gitattributes',
    '.gitmodules',
    '.github',
    'git',
    '.git2',
    'x.git',
    'git~',
    'git~x',
    '...',
    'dev-disk-by\\x2dlabel-root.device',
    'a b',
    'Grüße',
    'ファイル',
    '👩‍💻.txt',
    'x'.repeat(255),
  ])('may be %j', (name) => {
    expect(refusedName(name)).toBeUndefined();
  });

  test.each([
    ['', 'empty'],
    ['.', '“.”'],
    ['..', '“..”'],
    ['a/b', 'slash'],
    ['/', 'slash'],
    ['a\nb', 'control'],
    ['a\u001b[2J', 'control'],
    ['a\u007f', 'control'],
    ['a\u0085b', 'control'],
    ['a\u2028b', 'control'],
    // Reads as “exe.txt” backwards: U+202E turns the writing direction.
    ['a\u202etxt.exe', 'control'],
    ['x'.repeat(256), '255 bytes'],
    ['ä'.repeat(128), '255 bytes'],
  ])('may not be %j', (name, reason) => {
    expect(refusedName(name)).toContain(reason);
  });

  // Case; Windows’ trailing dots and spaces, short names and streams; HFS+’s ignored code points (git’s own
  // tests t1014 and t0060 have these); and compatibility forms.
  test.each([
    '.git',
    '.GIT',
    '.Git',
    '.git.',
    '.git ',
    '.git. . ',
    'git~1',
    'GIT~1',
    'GIT~1. ',
    'git~2',
    '.git:stream',
    '.git::$INDEX_ALLOCATION',
    '.git ::$DATA',
    '.g\u200cit',
    '.gi\u200dt',
    '\u{feff}.git',
    '.\u206fgit',
    '.Gi\u200cT',
    '.g\u00adit',
    '\uff0e\uff47\uff49\uff54',
    'a\\.git',
    '.git\\hooks',
  ])('may not look like .git: %j', (name) => {
    expect(refusedName(name)).toBe('some file systems take the name for .git');
  });

  test.each([
    ['README', 'readme'],
    ['caf\u00e9', 'cafe\u0301'],
    ['CAFE\u0301', 'caf\u00e9'],
    ['straße', 'STRASSE'],
    ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
    ['\u212a', 'k'],
    ['a\u200cb', 'ab'],
    ['\ud55c', '\u1112\u1161\u11ab'],
  ])('collide: %j and %j', (one, other) => {
    expect(collisionKey(one)).toBe(collisionKey(other));
  });

  test.each([
    ['a', 'b'],
    ['a.b', 'a_b'],
    ['cafe', 'caf\u00e9'],
    ['a ', 'a'],
    ['が', 'か'],
  ])('do not collide: %j and %j', (one, other) => {
    expect(collisionKey(one)).not.toBe(collisionKey(other));
  });
});

describe('links', () => {
  test.each([
    ['a', 'b'],
    ['a', 'b/c'],
    ['a', './b'],
    ['a', '.'],
    ['d/a', '..'],
    ['d/a', '../b'],
    ['d/e/a', '../../b/c'],
    ['d/a', './../b'],
    ['d/a', './/..//b/'],
    ['a', '...'],
    ['a', '..b/c'],
  ])('may lead from %j to %j', (path, target) => {
    expect(refusedLink(path, target)).toBeUndefined();
  });

  test.each([
    ['a', '/etc/shadow', 'absolute'],
    ['a', '//etc', 'absolute'],
    ['a', '..', 'out of the tree'],
    ['a', './..', 'out of the tree'],
    ['a', '../b', 'out of the tree'],
    ['d/a', '../../b', 'out of the tree'],
    ['d/a', '.././../b', 'out of the tree'],
    ['a', 'b/../c', 'after a name'],
    ['d/a', '../b/..', 'after a name'],
    // Where `s` is a link to `.`, the text says d/e and the kernel leaves the tree.
    ['d/e/a', 's/s/s/../../..', 'after a name'],
    ['a', '', 'nowhere'],
    ['a', 'b\0c', 'control'],
    ['a', 'b\nc', 'control'],
    ['a', 'x/'.repeat(2048), 'too long'],
  ])('may not lead from %j to %j', (path, target, reason) => {
    expect(refusedLink(path, target)).toContain(reason);
  });
});
