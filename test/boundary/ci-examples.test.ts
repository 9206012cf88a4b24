import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Fleet, makeFleet } from '../rig/fleet.ts';
import { must, run, type RanProgram } from '../rig/run.ts';

const tree = join(import.meta.dirname, '../..');
const example = (name: string): string => readFileSync(join(tree, 'examples/ci', name), 'utf8');

/** As much of a workflow of GitHub Actions or Forgejo Actions as is looked at. */
interface Workflow {
  readonly on: Record<string, { readonly branches?: readonly string[] }>;
  readonly jobs: Record<string, { readonly steps: readonly Step[] }>;
}
interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly with?: Record<string, unknown>;
  readonly env?: Record<string, string>;
  readonly run?: string;
}

/** As much of a pipeline of GitLab CI. */
interface Pipeline {
  readonly workflow: { readonly rules: readonly { readonly if?: string; readonly when?: string }[] };
  readonly autark: {
    readonly rules: readonly { readonly if: string }[];
    readonly variables: Record<string, string>;
    readonly script: readonly string[];
  };
}

const workflow = (name: string): Workflow => parse(example(name)) as Workflow;
const pipeline = (): Pipeline => parse(example('gitlab.yml')) as Pipeline;
const stepsOf = (name: string): readonly Step[] => workflow(name).jobs['check']?.steps ?? [];
const checkStep = (name: string): Step | undefined => stepsOf(name).find((step) => step.name === 'check');

/** What each forge runs for the check, as one script. */
const scripts: Readonly<Record<string, () => string>> = {
  'github.yml': () => checkStep('github.yml')?.run ?? '',
  'forgejo.yml': () => checkStep('forgejo.yml')?.run ?? '',
  'gitlab.yml': () => pipeline().autark.script.join('\n'),
};

/** Stands for npm, which would need the network: it brings what is installed and built here, in the order asked for. */
const npm = `#!/bin/sh
echo "$*" >>"$AUTARK_TEST_CALLS"
case "$*" in
  ci) ln -s "$AUTARK_TEST_TREE/node_modules" node_modules ;;
  'run build') [ -e node_modules ] && ln -s "$AUTARK_TEST_TREE/dist" dist ;;
  *) exit 1 ;;
esac
`;

describe('the examples for pipelines', () => {
  let fleet: Fleet;
  let unsigned: string;
  let release: string;
  let bin: string;

  beforeAll(async () => {
    fleet = await makeFleet('autark-ci');
    const { dir, env } = fleet.world;
    await fleet.server.commit({ files: { 'notes.md': 'signed\n' } });
    unsigned = await fleet.server.commit({
      files: { 'notes.md': 'not signed\n' },
      key: null,
      ref: 'refs/heads/unsigned',
    });
    release = join(dir, 'release');
    bin = join(dir, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'npm'), npm);
    chmodSync(join(bin, 'npm'), 0o755);
    await must('git', ['init', '--quiet', release], { env });
    await must('git', ['commit', '--quiet', '--allow-empty', '--message', 'Release'], { cwd: release, env });
    await must('git', ['tag', 'v0.1.0'], { cwd: release, env });
  });
  afterAll(() => fleet.world.remove());

  let runs = 0;
  const calls = (): string => readFileSync(join(fleet.world.dir, `calls-${runs}`), 'utf8');
  /** The check step of an example, with errexit as forges run it, in a clone at a detached HEAD. */
  async function runExample(name: string, revision: string, settings = {}): Promise<RanProgram> {
    const { dir, env, remote } = fleet.world;
    const at = (): string => join(dir, `job-${runs}`);
    runs += 1;
    await must('git', ['clone', '--quiet', remote, at()], { env });
    await must('git', ['checkout', '--quiet', '--detach', revision], { cwd: at(), env });
    return run('sh', ['-e', '-c', scripts[name]?.() ?? ''], {
      cwd: at(),
      env: {
        ...{ ...env, PATH: `${bin}:${env['PATH'] ?? ''}`, TMPDIR: dir },
        ...{ AUTARK_URL: `file://${release}`, AUTARK_TAG: 'v0.1.0', AUTARK_INTRODUCTION: fleet.introduction },
        ...{ AUTARK_TEST_TREE: tree, AUTARK_TEST_CALLS: join(dir, `calls-${runs}`) },
        ...settings,
      },
    });
  }

  describe.each(Object.keys(scripts))('%s', (name) => {
    test('says yes to what an admin signed', async () => {
      const ran = await runExample(name, await fleet.server.head());
      expect(ran.code, ran.stderr).toBe(0);
      expect(ran.stdout).toContain('hosts would take it');
      expect(calls()).toBe('ci\nrun build\n');
    });

    test('says no to what nobody signed, and names it', async () => {
      const ran = await runExample(name, unsigned);
      expect(ran.code).toBe(20);
      expect(ran.stdout).toContain(`S3  the commit is not signed\n    at ${unsigned}`);
    });

    test('does not say yes when the introduction or the tag is not set', async () => {
      const head = await fleet.server.head();
      expect((await runExample(name, head, { AUTARK_INTRODUCTION: '' })).code).toBe(2);
      expect((await runExample(name, head, { AUTARK_TAG: 'v9' })).code).not.toBe(0);
    });
  });
});

test.each(['github.yml', 'forgejo.yml'])('%s runs for main alone, with the whole history', (name) => {
  expect(workflow(name).on).toEqual({ push: { branches: ['main'] } });
  const checkout = stepsOf(name).find((step) => step.uses?.startsWith('actions/checkout@') ?? false);
  expect(checkout?.with?.['fetch-depth']).toBe(0);
  // Every variable of the script comes from the forge's settings.
  const wanted = (checkStep(name)?.run ?? '').match(/\$AUTARK_\w+/g) ?? [];
  expect(Object.entries(checkStep(name)?.env ?? {}).sort()).toEqual(
    [...new Set(wanted)]
      .map((each) => each.slice(1))
      .sort()
      .map((each) => [each, `\${{ vars.${each} }}`]),
  );
});

test('gitlab.yml runs for main alone, with the whole history, and lets no pipeline begin for records', () => {
  const { workflow: begins, autark } = pipeline();
  expect(autark.rules).toEqual([{ if: '$CI_COMMIT_BRANCH == "main"' }]);
  expect(autark.variables['GIT_DEPTH']).toBe('0');
  const [first] = begins.rules;
  expect(first?.when).toBe('never');
  const pattern = /^\$CI_COMMIT_BRANCH =~ \/(.*)\/$/.exec(first?.if ?? '')?.[1];
  const matches = (branch: string): boolean => new RegExp(pattern ?? '').test(branch);
  expect(['state/web1', 'enroll/web1/0123456789abcdef', 'main', 'testing/web1'].map(matches)).toEqual([
    ...[true, true],
    ...[false, false],
  ]);
});
