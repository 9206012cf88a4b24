import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { version } from '../../shared/version.ts';
import { scratch } from '../agent/adapters/scratch.ts';
import { debOf } from '../rig/deb.ts';
import { describeWith } from '../rig/needs.ts';
import { must } from '../rig/run.ts';
import { project } from '../rig/single-file.ts';

// A whole bundle, on a busy machine.
const env = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' };
const asked = (...args: readonly string[]): Promise<string> => must('dpkg-deb', args, { env });

describeWith(['dpkg-deb'], 'the package for Debian', () => {
  let dir: string;
  let deb: string;
  let tree: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'autark-deb-'));
    deb = await debOf(dir);
    tree = join(dir, 'tree');
    await asked('--raw-extract', deb, tree);
  });
  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  const read = (path: string): string => readFileSync(join(tree, path), 'utf8');

  test('it is named after its version, is for every architecture, and names what it needs', async () => {
    expect(deb).toMatch(new RegExp(`/autark_${version}_all\\.deb$`));
    const said = (field: string): Promise<string> => asked('--field', deb, field);
    expect(await said('Version')).toBe(version);
    expect(await said('Architecture')).toBe('all');
    const { engines } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
      readonly engines: { readonly node: string };
    };
    const depends = (await said('Depends')).split(', ');
    expect(depends).toContain(`nodejs (>= ${engines.node.replace('>=', '')})`);
    expect(depends).toContain('git');
  });

  test('all of it is root’s; the program alone is executable, and what may be read is read by everybody', async () => {
    const lines = (await asked('--contents', deb)).split('\n').map((line) => line.split(/\s+/));
    expect(new Set(lines.map(([, owner]) => owner))).toEqual(new Set(['root/root']));
    const files = lines.flatMap(([mode = '', , , , , path = '']) =>
      path.endsWith('/') ? [] : [[path, mode]],
    );
    const folders = lines.flatMap(([mode = '', , , , , path = '']) => (path.endsWith('/') ? [mode] : []));
    expect(new Set(folders)).toEqual(new Set(['drwxr-xr-x']));
    const plain = [
      ...[
        ...['autark.service', 'autark-recovery.service', 'autark-once.service', 'autark-once.timer'],
        ...['autark-secrets-early.service', 'autark-secrets.service', 'autark-secret@.service'],
        'run-autark-secrets.d.mount',
      ].map((unit) => `lib/systemd/system/${unit}`),
      'lib/sysusers.d/autark.conf',
      'share/bash-completion/completions/autark',
      'share/doc/autark/changelog.gz',
      'share/doc/autark/copyright',
      'share/fish/vendor_completions.d/autark.fish',
      'share/man/man1/autark.1.gz',
    ];
    expect(Object.fromEntries(files)).toEqual({
      ...Object.fromEntries(plain.map((path) => [`./usr/${path}`, '-rw-r--r--'])),
      './usr/lib/autark/autark.mjs': '-rwxr-xr-x',
      './usr/lib/autark/autark-secret': '-rwxr-xr-x',
      './usr/bin/autark': 'lrwxrwxrwx',
    });
  });

  test('its units and its program call Debian’s Node, whatever stands first on a PATH', () => {
    const starts = (unit: string): string | undefined =>
      /^ExecStart=(.*)$/m.exec(read(`usr/lib/systemd/system/${unit}`))?.[1];
    const call = '/usr/bin/node /usr/lib/autark/autark.mjs agent';
    expect(starts('autark.service')).toBe(call);
    expect(starts('autark-once.service')).toBe(`${call} --once`);
    expect(read('usr/lib/autark/autark.mjs')).toMatch(/^#!\/usr\/bin\/node\n/);
  });

  test('the licences of all that is in it are told, and the sums of its files are right', async () => {
    const copyright = read('usr/share/doc/autark/copyright');
    expect(copyright).toContain(readFileSync(join(project, 'LICENSE'), 'utf8').trim());
    expect(copyright).toContain(readFileSync(join(project, 'node_modules/yaml/LICENSE'), 'utf8').trim());
    const sums = read('DEBIAN/md5sums');
    await must('md5sum', ['--check', '--strict', '--quiet'], { cwd: tree, env, input: sums });
    expect(sums.trim().split('\n')).toHaveLength(16);
  });

  test('the manual page and the changelog can be read', async () => {
    const unzipped = (path: string): Promise<string> => must('gzip', ['-dc', join(tree, path)], { env });
    expect(await unzipped('usr/share/man/man1/autark.1.gz')).toMatch(/^\.TH AUTARK 1/);
    expect(await unzipped('usr/share/doc/autark/changelog.gz')).toMatch(/^# Changelog/);
  });

  test('made again, also by somebody whose files are nobody else’s business, it is the same to the byte', async () => {
    const before = process.umask(0o077);
    try {
      expect(readFileSync(await debOf(scratch())).equals(readFileSync(deb))).toBe(true);
    } finally {
      process.umask(before);
    }
  });
});
