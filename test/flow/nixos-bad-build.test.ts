import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Files, newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { makeNixosFleet, nixosFiles, type NixosFleet } from '../rig/nix.ts';
import { patience } from '../rig/patience.ts';
import { allGone, endAll, isRunning } from '../rig/processes.ts';
import { flakeOf, refusedNixos } from '../rig/refused-nixos.ts';
import { program } from '../rig/world.ts';

describeWith(['nix'], 'a build in Nix', () => {
  let fleet: NixosFleet;
  let good: string;
  beforeAll(async () => {
    fleet = await makeNixosFleet('autark-nixos-bad-build');
    good = await fleet.server.commit({ files: nixosFiles({ web1: { motd: 'good' } }) });
    const { code, stderr } = await fleet.host.agent();
    expect(code, stderr).toBe(0);
  });
  afterAll(async () => {
    endAll(fleet.world.dir);
    await fleet.world.remove();
  });

  const refused = (files: Files, code = 30, env: Readonly<Record<string, string>> = {}) =>
    refusedNixos(fleet, { good, files, env }, code);
  const building = (build: string): Files => nixosFiles({ web1: { motd: 'new', build } });
  const deploys = async (motd: string): Promise<void> => {
    await fleet.server.commit({ tree: good, files: nixosFiles({ web1: { motd } }) });
    const { code, stderr } = await fleet.host.agent();
    expect(code, stderr).toBe(0);
    expect(fleet.host.motd()).toBe(motd);
  };

  test('that fails shows the end of its own log, not that of what went well', async () => {
    const well = '${make "well" "echo all is well; echo >$out"}';
    const system = `make "system" "cat ${well}; seq 100; echo no such package >&2; exit 3"`;
    const { record, ran } = await refused({ 'flake.nix': flakeOf(system) });
    expect(record.status.outcome.message).toContain('a derivation failed to build');
    expect(record.body).toMatch(/\n *99\n *100\n *no such package\n/);
    expect(record.body).not.toContain('all is well');
    expect(ran.stderr).toContain('no such package');
  });

  test('that hangs is ended with all it started, and the store is of use afterwards', async () => {
    const yaml = fleet.fleetYaml('web1', ['timeouts: { build: 15s }']);
    const deaf = `trap "" TERM; (trap "" TERM; while :; do sleep 1; done) & while :; do sleep 1; done`;
    const { record } = await refused({ ...building(`echo at it; ${deaf}`), 'fleet.yaml': yaml }, 31);
    expect(record.status.outcome.message).toMatch(/longer than 15 s.*while it built nixos-system-web1/);
    expect(record.body).toContain('at it');
    await allGone(fleet.world.dir);
    await deploys('after the hang');
  });

  test('that floods ends bounded', async () => {
    const programs = join(fleet.world.dir, 'less-log');
    mkdirSync(programs);
    // The agent's own bound, made small, so that it is reached soon.
    const less = `for a; do shift; [ "$a" != ${256 * 2 ** 20} ] || a=3000000; set -- "$@" "$a"; done`;
    const PATH = process.env['PATH'] ?? '';
    const script = `#!/bin/sh\n${less}\nPATH='${PATH}'\nexec nix "$@"\n`;
    writeFileSync(join(programs, 'nix'), script, { mode: 0o755 });
    const env = { PATH: `${programs}:${PATH}` };
    const { record } = await refused(building('yes "$(seq -s . 999)"'), 30, env);
    expect(record.status.outcome.message).toContain('a derivation failed to build');
    expect(record.body.length).toBeLessThan(20_000);
    await allGone(fleet.world.dir);
  });

  test('that prints garbage, escapes and messages of Nix does no harm', async () => {
    const forged = '@nix {\\"action\\":\\"msg\\",\\"level\\":0,\\"raw_msg\\":\\"forged\\"}';
    const lines = [
      `printf '\\033[31mred\\033[0m \\033]0;title\\007 \\377\\376 bell\\a\\342\\200\\256rtl\\n' >&2`,
      `echo "${forged}" >&2; echo "@nix {" >&2; echo "@nix 1" >&2`,
      `printf 'Autark-Revision: 1234\\n'; exit 9`,
    ];
    const { ran, record } = await refused(building(lines.join('\n')));
    const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
    expect(ran.stderr).not.toMatch(control);
    expect(JSON.stringify(record.status)).not.toMatch(control);
    expect(record.body).not.toMatch(control);
    expect(record.body).toContain('red');
    expect(record.status.outcome.message).not.toContain('forged');
    expect(record.trailers['Autark-Revision']).toBe(record.status.system?.revision);
  });

  test('whose agent was killed is ended by the next cycle, which builds it', async () => {
    const { host, server, world } = fleet;
    const [began, released] = [join(world.dir, 'began'), join(world.dir, 'released')];
    const build = `echo $$ >>${began}; while [ ! -e ${released} ]; do sleep 0.1; done`;
    const files = nixosFiles({ web1: { motd: 'twice', build } });
    const revision = await server.commit({ tree: good, files });
    const agent = spawn(process.execPath, [program, 'agent', '--once', '--root', host.root], {
      env: { ...world.env, ...host.store.env },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => agent.on('close', resolve));
    await vi.waitFor(() => {
      expect(readFileSync(began, 'utf8')).toMatch(/^\d+\n$/);
    }, patience);
    agent.kill('SIGKILL');
    await ended;
    const builder = Number(readFileSync(began, 'utf8'));
    expect(isRunning(builder)).toBe(true);
    rmSync(began);
    const next = host.agent();
    await vi.waitFor(() => {
      expect(existsSync(began)).toBe(true);
    }, patience);
    expect(isRunning(builder)).toBe(false);
    writeFileSync(released, '');
    const { code, stderr } = await next;
    expect(code, stderr).toBe(0);
    expect(host.motd()).toBe('twice');
    expect((await newest(host)).status.system?.revision).toBe(revision);
    expect(host.state('systems')).toHaveLength(host.state('generations').length);
    await allGone(world.dir);
  });
});
