/**
 * Which names and links of a tree may be written out (S6). Hosts run Linux, but the same tree is read on an
 * admin's machine: what would be another file there is refused here.
 */

/** The longest name that Linux file systems hold, in bytes (NAME_MAX, limits.h). */
const longestName = 255;
/** One less than PATH_MAX, limits.h: the longest target that symlink(2) takes, in bytes. */
const longestTarget = 4095;

/** C0, DEL, C1, line and paragraph separators, and the controls that turn the writing direction. */
const controls = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** Why no entry of a tree may have this name, or `undefined`. */
export function refusedName(name: string): string | undefined {
  if (name === '') return 'the name is empty';
  if (name === '.' || name === '..') return `the name is “${name}”`;
  if (name.includes('/')) return 'the name has a slash in it';
  if (controls.test(name)) return 'the name has control characters in it';
  if (Buffer.byteLength(name, 'utf8') > longestName) return `the name is longer than ${longestName} bytes`;
  if (name.split('\\').some(looksLikeGit)) return 'some file systems take the name for .git';
  return undefined;
}

/**
 * As git's is_hfs_dotgit and is_ntfs_dotgit, and wider: compatibility forms (full-width letters) and every
 * code point that Unicode lets a reader ignore. Git looks behind backslashes too, which Windows takes for
 * slashes; a backslash alone is fine (systemd's unit names have them).
 */
function looksLikeGit(part: string): boolean {
  const [bare = ''] = fold(part.normalize('NFKC')).split(':');
  return /^(\.git|git~[0-9]+)$/.test(bare.replace(/[. ]+$/, ''));
}

/** Two names of one directory with equal keys are one file somewhere: by case or by Unicode form. */
export function collisionKey(name: string): string {
  return fold(name);
}

/**
 * Canonical form without what Unicode lets readers ignore (as casefolding ext4 and HFS+ do), and without
 * case. Upper case first: it makes `ß` and `ss`, and the sigmas, one. Composed again at the end, because
 * changing case can leave combining marks apart.
 */
function fold(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFC');
}

/**
 * Why this symbolic link may not be written, or `undefined` when it stays inside the tree.
 *
 * The rule: relative, and `..` only at the beginning, at most as often as the link lies deep. It is enough
 * for links through links too, by induction: the kernel starts from the real directory that holds the
 * link, the leading `..` climb real directories of the tree, and what follows only descends, by real
 * directories or by links that keep the same rule. A `..` after a name is refused even where it would
 * stay inside, since the name may be a link, and `..` is then not where the text says.
 * @param path the link's own place, relative to the tree's root
 */
export function refusedLink(path: string, target: string): string | undefined {
  if (target === '') return 'the link leads nowhere';
  if (controls.test(target)) return 'the link’s target has control characters in it';
  if (Buffer.byteLength(target, 'utf8') > longestTarget) return 'the link’s target is too long';
  if (target.startsWith('/')) return 'the link’s target is absolute';
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const down = parts.findIndex((part) => part !== '..');
  const climbs = down === -1 ? parts.length : down;
  if (parts.slice(climbs).includes('..')) return 'the link’s target has “..” after a name';
  const depth = path.split('/').length - 1;
  return climbs > depth ? 'the link leads out of the tree' : undefined;
}
