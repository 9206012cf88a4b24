import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { accessSync, constants, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseFleet } from '../../shared/fleet/parse.ts';
import { formatPrivateKey, parsePrivateKey } from '../../shared/trust/ssh-key.ts';
import { scratch, valueOf } from '../agent/adapters/scratch.ts';
import { must, run, type RanProgram } from '../rig/run.ts';
import { fleetId, genesis } from '../shared/fleet/sample.ts';

const example = join(import.meta.dirname, '../../examples/debian');
const systemPath = '/usr/sbin:/usr/bin:/sbin:/bin';

type Etc = Readonly<Record<string, string>>;

/** Builds a system whose layers are these files of the repository, besides the example's two programs. */
async function build(folder: string, layers: Etc): Promise<RanProgram> {
  const [tree, out] = [`${folder}.tree`, folder];
  for (const program of ['build', 'switch-to-configuration'])
    cpSync(join(example, 'common', program), join(tree, 'common', program));
  for (const [path, text] of Object.entries(layers)) {
    mkdirSync(join(tree, path, '..'), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  mkdirSync(out);
  const env = { PATH: systemPath, out, AUTARK_HOST: 'web1', AUTARK_GROUPS: 'a b', AUTARK_ROOT: '/' };
  return run(join(tree, 'common/build'), [], { cwd: tree, env });
}

/** The same for files of /etc alone, where it must succeed: its activation. */
async function system(folder: string, etc: Etc): Promise<string> {
  const files = Object.entries(etc).map(([path, text]) => [`hosts/web1/etc/${path}`, text] as const);
  const { code, stderr } = await build(folder, Object.fromEntries(files));
  expect(code, stderr).toBe(0);
  return join(folder, 'bin/switch-to-configuration');
}

const activate = (program: string, root: string): Promise<string> =>
  must(program, ['switch'], { env: { PATH: systemPath, AUTARK_ROOT: root } });

/** All files of the root's /etc. */
function etcOf(root: string): Etc {
  const paths = readdirSync(join(root, 'etc')).sort();
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, 'etc', path), 'utf8')]));
}

/**
 * The programs by which an activation changes what another one sees. They are the real ones, but for one call: the
 * count says which. It kills all that runs there.
 */
function killers(folder: string): string {
  mkdirSync(folder);
  for (const program of ['cp', 'mv', 'rm']) {
    const script = [
      '#!/bin/sh',
      'read -r left <"$KILLER_COUNT"',
      'echo $((left - 1)) >"$KILLER_COUNT"',
      '[ "$left" != 1 ] || kill -KILL 0',
      `exec /bin/${program} "$@"`,
    ];
    writeFileSync(join(folder, program), `${script.join('\n')}\n`);
    chmodSync(join(folder, program), 0o755);
  }
  return `${folder}:${systemPath}`;
}

/** An activation that is killed before its effect number `at`; false when it had fewer and ended well. */
async function killAt(program: string, root: string, PATH: string, at: number): Promise<boolean> {
  const count = join(root, 'count');
  writeFileSync(count, `${at}\n`);
  const env = { PATH, AUTARK_ROOT: root, KILLER_COUNT: count };
  const child = spawn(program, ['switch'], { env, detached: true, stdio: 'ignore' });
  const end = await new Promise((resolve) => {
    child.on('close', (code, signal) => {
      resolve(signal ?? code);
    });
  });
  rmSync(count);
  expect(['SIGKILL', 0]).toContain(end);
  return end === 'SIGKILL';
}

const older: Etc = { kept: 'k', changed: 'old', gone: 'g', edited: 'old' };
const newer: Etc = { kept: 'k', changed: 'new', edited: 'new', foreign: 'new', added: 'n' };

describe('an activation of the example for Debian', () => {
  test('killed before any of its effects is finished by the next one, or undone by the older one', async () => {
    const folder = scratch();
    const [root, before] = [join(folder, 'root'), join(folder, 'before')];
    const [first, second] = [
      await system(join(folder, 'first'), older),
      await system(join(folder, 'second'), newer),
    ];
    await activate(first, before);
    const theirs = { edited: 'by hand', foreign: 'theirs', mine: 'theirs' };
    for (const [path, text] of Object.entries(theirs)) writeFileSync(join(before, 'etc', path), text);

    const path = killers(join(folder, 'killers'));
    let at = 1;
    const begin = (): Promise<boolean> => {
      rmSync(root, { recursive: true, force: true });
      cpSync(before, root, { recursive: true, preserveTimestamps: true });
      return killAt(second, root, path, at);
    };
    const saved = { '.edited.autark-saved': 'by hand', '.foreign.autark-saved': 'theirs' };
    for (; await begin(); at += 1) {
      // In turn: what is left behind one effect is what is left before the next one.
      if (at % 2 === 0) {
        await activate(second, root);
        expect(etcOf(root), `finished after effect ${at - 1}`).toEqual({
          ...newer,
          mine: 'theirs',
          ...saved,
        });
        continue;
      }
      await activate(first, root);
      const { foreign, ['.foreign.autark-saved']: kept, ...others } = etcOf(root);
      expect(others, `undone after effect ${at - 1}`).toEqual({
        ...older,
        mine: 'theirs',
        '.edited.autark-saved': 'by hand',
      });
      // What was never ours is where it was, or was set aside: never gone, never ours.
      expect([undefined, 'theirs']).toContain(foreign);
      expect(foreign ?? kept).toBe('theirs');
    }
    // Two lists written and one dropped, four files placed by two effects each, two saved, one removed.
    expect(at - 1).toBe(3 + 4 * 2 + 2 + 1);
    expect(etcOf(root)).toEqual({ ...newer, mine: 'theirs', ...saved });
  });

  test('never removes what it only meant to place, and leaves what it does not know', async () => {
    const folder = scratch();
    const root = join(folder, 'root');
    const program = await system(join(folder, 'system'), { a: '1' });
    mkdirSync(join(root, 'etc/a/b'), { recursive: true });
    const ran = await run(program, ['switch'], { env: { PATH: systemPath, AUTARK_ROOT: root } });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/etc\/a is a directory/);
    await activate(await system(join(folder, 'other'), {}), root);
    expect(existsSync(join(root, 'etc/a/b'))).toBe(true);
  });

  test('refuses what it does not know', async () => {
    const folder = scratch();
    const program = await system(join(folder, 'system'), {});
    const ran = await run(program, ['reboot'], { env: { PATH: systemPath, AUTARK_ROOT: join(folder, 'r') } });
    expect([ran.code, existsSync(join(folder, 'r'))]).toEqual([2, false]);
  });
});

describe('the build of the example for Debian', () => {
  test('lays a host’s layer over those of its groups, and a later group’s over an earlier one’s', async () => {
    const folder = join(scratch(), 'system');
    const layers = ['common', 'groups/a', 'groups/b', 'hosts/web1', 'groups/other'];
    const files = layers.flatMap((layer, index) =>
      layers.slice(index, 4).map((_, at) => [`${layer}/etc/file-${at + index}`, layer] as const),
    );
    const { code } = await build(folder, {
      ...Object.fromEntries(files),
      'common/packages': 'curl # to look\n\nbb aa\n',
      'groups/b/packages': 'aa\n',
      'common/modes': '0640 root:adm file-0\n',
      'hosts/web1/modes': '600 root:root file-0\n',
    });
    expect(code).toBe(0);
    const found = [0, 1, 2, 3].map((at) => readFileSync(join(folder, `etc/file-${at}`), 'utf8'));
    expect(found).toEqual(['common', 'groups/a', 'groups/b', 'hosts/web1']);
    expect(readFileSync(join(folder, 'packages'), 'utf8')).toBe('aa\nbb\ncurl\n');
    expect(readFileSync(join(folder, 'files'), 'utf8')).toMatch(/^600 root:root [0-9a-f]{64} file-0$/m);
  });

  test.each([
    ['a name that apt would take for an option or a pattern', { 'common/packages': '-o\n' }, /not names/],
    ['a package with a version', { 'common/packages': 'curl=1\n' }, /not names/],
    ['a mode that is none', { 'common/etc/x': '', 'common/modes': 'rw root:root x\n' }, /rw of x/],
    ['an owner without a group', { 'common/etc/x': '', 'common/modes': '0600 root x\n' }, /OWNER:GROUP/],
    ['a mode of no file', { 'common/modes': '0600 root:root typo\n' }, /no etc\/typo/],
    ['a line that is no service', { 'common/services': 'start x.service y\n' }, /start x.service/],
    ['a file name with a space', { 'common/etc/a b': '' }, /space/],
  ])('refuses %s', async (_what, layers, said) => {
    const { code, stderr } = await build(join(scratch(), 'system'), layers);
    expect(code).toBe(1);
    expect(stderr).toMatch(said);
  });
});

/** Of a key that there is: what is a reader has to be one that can be sealed to. */
const publicKeyOf = (byte: number): string =>
  valueOf(parsePrivateKey(formatPrivateKey(Buffer.alloc(32, byte), '', 1))).line;

test('the fleet.yaml of the example is valid once init and approve have filled it in', () => {
  let host = 1;
  const text = readFileSync(join(example, 'fleet.yaml'), 'utf8')
    .replace("fleet: '0000…'", `fleet: '${fleetId}'`)
    .replaceAll("genesis: '0000…'", `genesis: '${genesis}'`)
    .replaceAll('ssh-ed25519 AAAA…', () => publicKeyOf((host += 1)));
  const fleet = valueOf(parseFleet(text, { file: 'fleet.yaml', version: '0.1.0' }));
  expect(fleet.warnings).toEqual([]);
  for (const { name, system: declared } of fleet.hosts.values()) {
    if (declared?.kind !== 'exec') throw new Error(`${name} is not of kind exec`);
    accessSync(join(example, declared.build), constants.X_OK);
    for (const path of declared.inputs ?? []) accessSync(join(example, path));
  }
});
