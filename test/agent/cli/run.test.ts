import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from '../../../agent/cli/parse.ts';
import { run } from '../../../agent/cli/run.ts';
import type { Roles } from '../../../agent/cli/verb.ts';
import { verbs } from '../../../agent/cli/verbs.ts';
import { fail, type Failure } from '../../../shared/failure.ts';
import { version } from '../../../shared/version.ts';
import { stageWith } from './stage.ts';

const gone: Failure = {
  kind: 'unreachable',
  cause: 'no\u001b[31m way',
  where: 'here',
  remedy: 'wait',
  detail: 'a\nb\u0007',
};

async function call(
  argv: readonly string[],
  clone: Roles['clone'],
  more: { readonly debug?: boolean; readonly signal?: AbortSignal } = {},
) {
  const { stage, said } = stageWith({ clone }, more);
  return { code: await run(argv, stage), ...said };
}

const refused: Roles['clone'] = () => Promise.resolve(fail(gone));

test('the version is that of package.json', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8');
  expect(JSON.parse(text)).toMatchObject({ version });
});

describe('a failure', () => {
  test('is one line with its remedy, what a program said indented below, and nothing that drives a terminal', async () => {
    expect(await call(['log'], refused)).toEqual({
      code: 1,
      out: '',
      note: 'autark: no way (here); wait\n  a\n  b\n',
    });
  });

  test('of the status itself is 64, so that it is no bit', async () => {
    expect((await call(['status'], refused)).code).toBe(64);
    expect((await call(['status', '--json'], refused)).out).toBe('');
  });

  test('that is a bug says so without a stack, unless asked for', async () => {
    const broken: Roles['clone'] = () => Promise.reject(new TypeError('x is not a function'));
    const quiet = await call(['log'], broken);
    expect(quiet.code).toBe(1);
    expect(quiet.note).toBe(
      'autark: this is a bug in autark: x is not a function; report it, with AUTARK_DEBUG=1 for where it happened\n',
    );
    expect((await call(['log'], broken, { debug: true })).note).toContain('run.test.ts');
    expect((await call(['status'], broken)).code).toBe(64);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGQUIT', 131],
    ['SIGTERM', 143],
  ])('after %s is the signal’s', async (name, code) => {
    const ending = new AbortController();
    const interrupted: Roles['clone'] = () => {
      ending.abort(name);
      return Promise.resolve(fail(gone));
    };
    expect(await call(['log'], interrupted, { signal: ending.signal })).toEqual({ code, out: '', note: '' });
  });
});

describe('arguments', () => {
  const approve = verbs.find((verb) => verb.name === 'approve');

  test('mean what they say', async () => {
    if (approve === undefined) throw new Error('no approve');
    const parsed = await parse(approve, [
      'approve',
      '01',
      '--group',
      '1e3',
      '--group=b',
      '--yes',
      '--root',
      '/x',
      '--yes',
    ]);
    if (!parsed.ok) throw new Error(parsed.failure.cause);
    const { args, root, help } = parsed.value;
    expect([
      args.positional('HOST'),
      args.texts('group'),
      args.flag('yes'),
      args.flag('push'),
      root,
      help,
    ]).toEqual(['01', ['1e3', 'b'], true, false, '/x', false]);
    expect(args.text('system')).toBeUndefined();
  });

  test.each([
    [['approve', 'web1', '--camelCase'], 'approve has no option --camelCase'],
    [['approve', 'web1', '--fingerprint='], '--fingerprint needs a value'],
    [['approve', 'web1', '--system', 'nixos', '--system', 'exec'], '--system is given more than once'],
    [['approve', 'web1', 'web2'], 'approve has no use for “web2”'],
    [['approve', 'web1', '--', '--push'], 'approve has no use for “--push”'],
    [['approve', 'web1', '--group.x', 'y'], 'approve has no option --group.x'],
  ])('%j is refused', async (argv, cause) => {
    if (approve === undefined) throw new Error('no approve');
    const parsed = await parse(approve, argv);
    expect(parsed.ok ? undefined : parsed.failure).toMatchObject({ kind: 'usage', cause });
  });

  test('every verb has help, an exit code for a wrong option, and loads', async () => {
    for (const verb of verbs) {
      const help = await call([verb.name, '--help'], refused);
      expect(help.code, verb.name).toBe(0);
      expect(help.out, verb.name).toContain(verb.summary);
      const wrong = await call([verb.name, '--nonsense'], refused);
      expect(wrong.code, verb.name).toBe(verb.name === 'status' ? 64 : 2);
      expect(wrong.note).toContain(`run autark ${verb.name} --help`);
      expect(await verb.load(), verb.name).toBeTypeOf('function');
    }
  });
});
