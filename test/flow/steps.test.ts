import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { placeOf } from '../../agent/adapters/steps/room.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeFleet, newest } from '../rig/fleet.ts';
import { loseAllButKeys } from '../rig/lives.ts';
import { describeWith } from '../rig/needs.ts';
import { patience } from '../rig/patience.ts';
import { expectAtRest } from '../rig/sound.ts';
import { approvalOf, ledgerOf, stepProgram, stepsRun } from '../rig/steps.ts';
import { program, type FileChange } from '../rig/world.ts';

describeWith(['age'], 'the steps of a host', () => {
  let fleet: Fleet;
  let host: FleetHost;
  beforeEach(async () => {
    fleet = await makeFleet('autark-steps');
    host = await fleet.join('web1');
  });
  afterEach(() => fleet.world.remove());

  const push = (motd: string, lines: readonly string[], files: Record<string, FileChange> = {}) =>
    fleet.server.commit({
      files: { ...execHost('web1', motd), 'fleet.yaml': fleet.fleetYaml('web1', lines), ...files },
      subject: motd,
    });
  const cycle = async (code: number, env: Record<string, string> = {}): Promise<string> => {
    const ran = await host.agent({ env });
    expect(ran.code, ran.stderr).toBe(code);
    if (code === 51) return ran.stderr;
    expectAtRest(host, ran.stderr);
    return ran.stderr;
  };
  const events = async (): Promise<readonly string[]> =>
    (await host.records()).map(({ status }) => status.outcome.event);
  const one = ['steps:', '  - name: prepare', '    run: steps/prepare'];

  test('run once, in their order, with what they are given and nothing else, before the system is built', async () => {
    const lines = [
      ...['steps:', '  - name: account', '    run: steps/account', '    credentials: [PROVIDER]'],
      ...['  - name: install', '    run: steps/install', '    files: [steps/list, steps/more]'],
    ];
    const says =
      'env | cut -d= -f1 | sort >"$AUTARK_ROOT/$AUTARK_STEP.env"; find . -type f | sort >"$AUTARK_ROOT/$AUTARK_STEP.files"';
    await push('hello', lines, {
      'steps/account': stepProgram(
        `${says}; echo "token-$PROVIDER" >"$AUTARK_YIELD/token"; echo "I have $PROVIDER"`,
      ),
      'steps/install': stepProgram(
        `${says}; cat "$AUTARK_RESULTS/account/token" >"$AUTARK_ROOT/installed"; test ! -e "$AUTARK_ROOT/etc/motd"`,
      ),
      ...{ 'steps/list': 'a\n', 'steps/more/deep/file': 'b\n', 'steps/other': 'c\n' },
    });
    const said = await cycle(0, { PROVIDER: 'hunter2', STRANGE: 'x' });

    expect(stepsRun(host)).toEqual(['account', 'install']);
    expect(host.motd()).toBe('hello');
    expect(await events()).toEqual([
      ...['enrolled', 'step-started', 'step-done', 'step-started', 'step-done', 'deployed'],
    ]);
    const given = [
      'AUTARK_GROUPS',
      'AUTARK_HOST',
      'AUTARK_RESULTS',
      'AUTARK_REVISION',
      'AUTARK_ROOT',
      'AUTARK_STEP',
    ];
    const own = (name: string) =>
      readFileSync(host.path(name), 'utf8')
        .trim()
        .split('\n')
        .filter((each) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(each));
    expect(own('account.env')).toEqual([...given, 'AUTARK_YIELD', 'PATH', 'PROVIDER']);
    expect(own('install.env')).toEqual([...given, 'AUTARK_YIELD', 'PATH']);
    expect(own('account.files')).toEqual(['./steps/account']);
    expect(own('install.files')).toEqual(['./steps/install', './steps/list', './steps/more/deep/file']);
    expect(readFileSync(host.path('installed'), 'utf8')).toBe('token-hunter2\n');

    const { runs = [] } = await ledgerOf(fleet, host);
    expect(runs).toMatchObject([
      { step: 'account', outcome: 'done', approval: null, output: 'I have hunter2\n' },
      { step: 'install', outcome: 'done', approval: null },
    ]);
    expect(runs[0]?.yields).toEqual({ token: Buffer.from('token-hunter2\n').toString('base64') });
    // What was borrowed, said and yielded is sealed, and nowhere else.
    const records = await Promise.all((await host.records()).map(({ id }) => fleet.server.git(['show', id])));
    expect([said, ...records].join('\n')).not.toContain('hunter2');
    const steps = host.path('run/autark/steps');
    expect([existsSync(steps), existsSync(await placeOf(steps))]).toEqual([false, false]);

    await push('two', lines);
    await cycle(0);
    expect([stepsRun(host), host.motd()]).toEqual([['account', 'install'], 'two']);
  });

  test('one that fails holds its revision (61), and runs again under an approval that was given afterwards', async () => {
    const lines = [...one];
    const step = { name: 'prepare', run: 'steps/prepare' };
    await push('hello', lines, { 'steps/prepare': stepProgram('echo broken >&2; exit 3') });
    await cycle(61);
    await cycle(61);
    expect([stepsRun(host), host.motd()]).toEqual([['prepare'], null]);
    const failed = await newest(host);
    expect(failed.status.outcome).toMatchObject({ event: 'step-failed', code: 61, phase: 'step' });
    expect(failed.status.outcome.message).toContain('the step prepare failed: it exited with code 3');
    expect((await ledgerOf(fleet, host)).runs).toMatchObject([{ outcome: 'failed', output: 'broken\n' }]);

    // Mended, and not approved: nobody knows what is half done.
    await push('two', lines, { 'steps/prepare': stepProgram() });
    await cycle(60);
    expect([stepsRun(host), host.motd()]).toEqual([['prepare'], null]);
    expect((await newest(host)).status.outcome.remedy).toContain('autark step approve web1 prepare');

    const approval = await approvalOf(fleet, host, step);
    const approved = [...lines, `    approved: ${JSON.stringify(approval)}`];
    await push('three', approved);
    await cycle(0);
    expect([stepsRun(host), host.motd()]).toEqual([['prepare', 'prepare'], 'three']);
    expect((await ledgerOf(fleet, host)).runs).toMatchObject([
      { outcome: 'failed', approval: null },
      { outcome: 'done', approval: approval.id },
    ]);
  });

  test('one that is done is not done again for a program that changed, which is said', async () => {
    await push('hello', one, { 'steps/prepare': stepProgram() });
    await cycle(0);
    // Its program may even be gone.
    await push('between', one, { 'steps/prepare': null });
    await cycle(0);
    expect(host.motd()).toBe('between');
    await push('two', one, { 'steps/prepare': stepProgram('echo other') });
    expect(await cycle(0)).toContain('declare a step of another name for what is new');
    expect([stepsRun(host), host.motd()]).toEqual([['prepare'], 'two']);
    expect((await newest(host)).status.reports?.join()).toContain(
      'the step prepare is done: its program is another one now',
    );
  });

  test('one whose disk is not there says so in its record, beside the approval that it lacks (60)', async () => {
    const gone = '/dev/disk/by-id/ata-GONE_1';
    await push('hello', [...one, `    destroys: [${gone}]`], { 'steps/prepare': stepProgram() });
    await cycle(60);
    const { body } = await newest(host);
    expect(body).toMatch(/^ *S16 .*: nobody approved this step/m);
    expect(body).toContain(`S16 ${gone}: this device could not be looked at: `);
    const count = (await host.records()).length;
    await cycle(60);
    expect(await host.records()).toHaveLength(count);
  });

  test('one that lacks a credential waits for it (60)', async () => {
    await push('hello', [...one, '    credentials: [PROVIDER]'], { 'steps/prepare': stepProgram() });
    await cycle(60);
    expect(stepsRun(host)).toEqual([]);
    const { outcome } = (await newest(host)).status;
    expect(outcome).toMatchObject({ event: 'held', code: 60 });
    expect(outcome.message).toContain('the credential PROVIDER was not given to this run of the agent');
    expect(await events()).not.toContain('step-started');
    await cycle(0, { PROVIDER: 'x' });
    expect(stepsRun(host)).toEqual(['prepare']);
  });

  test('without a push nothing runs, and once the server takes records it does (S17)', async () => {
    await push('hello', one, { 'steps/prepare': stepProgram() });
    const hook = join(fleet.world.remote, 'hooks/update');
    writeFileSync(hook, '#!/bin/sh\ncase "$1" in refs/heads/state/*) echo no >&2; exit 1 ;; esac\n');
    chmodSync(hook, 0o755);
    await cycle(51);
    expect([stepsRun(host), host.motd()]).toEqual([[], null]);
    rmSync(hook);
    await cycle(0);
    expect([stepsRun(host), host.motd()]).toEqual([['prepare'], 'hello']);
    expect((await ledgerOf(fleet, host)).runs).toMatchObject([{ outcome: 'withdrawn' }, { outcome: 'done' }]);
  });

  test('an older ledger that comes back beside a newer journal learns what the newest record knows (S15)', async () => {
    await push('hello', []);
    await cycle(0);
    const kept = host.path('var/lib/autark/state');
    cpSync(kept, `${host.root}.state`, { recursive: true });
    await push('two', one, { 'steps/prepare': stepProgram() });
    await cycle(0);
    expect(stepsRun(host)).toEqual(['prepare']);

    for (const motd of ['three', 'four']) {
      rmSync(kept, { recursive: true });
      if (motd === 'three') cpSync(`${host.root}.state`, kept, { recursive: true });
      await push(motd, one);
      await cycle(0);
      expect([stepsRun(host), host.motd()]).toEqual([['prepare'], motd]);
      expect((await ledgerOf(fleet, host)).runs).toMatchObject([{ step: 'prepare', outcome: 'done' }]);
    }
  });

  test('one whose agent was killed is interrupted: it ends, and never runs again by itself (S18)', async () => {
    await push('hello', one, {
      'steps/prepare': stepProgram('touch "$AUTARK_ROOT/begun"; sleep 300; touch "$AUTARK_ROOT/over"'),
    });
    const agent = spawn(process.execPath, [program, '--root', host.root, 'agent', '--once'], {
      env: fleet.world.env,
    });
    const ended = new Promise((resolve) => agent.once('exit', resolve));
    await expect.poll(() => existsSync(host.path('begun')), patience).toBe(true);
    agent.kill('SIGKILL');
    await ended;
    await cycle(60);
    await cycle(60);
    expect([stepsRun(host), host.motd()]).toEqual([['prepare'], null]);
    const { outcome, reports = [] } = (await newest(host)).status;
    expect(outcome.message).toContain('it was interrupted');
    expect(reports.join()).toContain('the step prepare was interrupted');
    expect((await ledgerOf(fleet, host)).runs).toMatchObject([{ outcome: 'started' }]);
    expect(existsSync(host.path('over'))).toBe(false);
  });

  test('a machine that was installed anew with its old key runs nothing that nobody approved (S15)', async () => {
    await push('hello', [], {});
    await cycle(0);
    loseAllButKeys(host);
    expect((await host.resume()).code).toBe(0);
    await push('two', one, { 'steps/prepare': stepProgram() });
    await cycle(60);
    expect(stepsRun(host)).toEqual([]);
    expect((await newest(host)).status.outcome.message).toContain('may have run before');

    const approval = await approvalOf(fleet, host, { name: 'prepare', run: 'steps/prepare' });
    await push('three', [...one, `    approved: ${JSON.stringify(approval)}`]);
    await cycle(0);
    expect([stepsRun(host), host.motd()]).toEqual([['prepare'], 'three']);
  });

  test('one that the machine before did does not run', async () => {
    await push('hello', ['done: [prepare]', ...one], { 'steps/prepare': stepProgram() });
    await cycle(0);
    expect([stepsRun(host), host.motd()]).toEqual([[], 'hello']);
  });

  test('none runs for a file that needs a newer autark, and the system is deployed', async () => {
    const yaml = fleet.fleetYaml('web1', one).replace('version: 1\n', 'version: 1\nrequires: 99\n');
    await push('hello', [], { 'fleet.yaml': yaml, 'steps/prepare': stepProgram() });
    expect(await cycle(0)).toContain('no step runs');
    expect([stepsRun(host), host.motd()]).toEqual([[], 'hello']);
  });

  test('one whose program is missing, or no program, holds its revision and says which (60)', async () => {
    await push('hello', one);
    await cycle(60);
    expect((await newest(host)).status.outcome.message).toBe(
      'the program of a step is not in this revision (steps/prepare)',
    );
    await push('two', one, { 'steps/prepare': 'no program\n' });
    await cycle(60);
    expect((await newest(host)).status.outcome.remedy).toContain('chmod +x steps/prepare');
    expect(host.motd()).toBeNull();
  });
});
