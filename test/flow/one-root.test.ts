import { spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { program } from '../rig/world.ts';

const fleet = await makeDeployed();
const { host } = fleet;
afterAll(() => fleet.world.remove());

describe('--root', () => {
  /** Everything but the host's own folder and the server, with the time of its last change. */
  const around = (): readonly string[] => {
    const found = readdirSync(fleet.world.dir, { recursive: true, encoding: 'utf8' });
    return found
      .filter((name) => !/^(hosts\/web1|fleet\.git)(\/|$)/.test(name))
      .map((name) => `${name} ${lstatSync(join(fleet.world.dir, name)).mtimeMs}`)
      .sort();
  };

  test('keeps everything below it', async () => {
    const elsewhere = ['/etc/autark', '/var/lib/autark', '/run/autark'].map(existsSync);
    const temporary = join(fleet.world.dir, 'tmp');
    mkdirSync(temporary);
    const before = around();
    await fleet.server.commit({ files: execHost('web1', 'kept in') });
    expect((await host.agent({ env: { TMPDIR: temporary } })).code).toBe(0);
    await fleet.server.commit({ files: { 'hosts/web1/build': { executable: '#!/bin/sh\nexit 1\n' } } });
    expect((await host.agent({ env: { TMPDIR: temporary } })).code).toBe(30);
    // The server's tools keep an index of ours beside it.
    expect(around().filter((line) => !line.startsWith('server.index'))).toEqual(
      before.filter((line) => !line.startsWith('server.index')),
    );
    expect(['/etc/autark', '/var/lib/autark', '/run/autark'].map(existsSync)).toEqual(elsewhere);
    expect(readdirSync(host.root).sort()).toEqual(['activations', 'etc', 'var']);
  });

  test('given relative to where one stands is the same', async () => {
    await fleet.server.commit({ files: execHost('web1', 'relative') });
    const ran = await fleet.world.autark([
      'agent',
      '--once',
      '--root',
      relative(fleet.world.clone, host.root),
    ]);
    expect(ran.code).toBe(0);
    expect(host.motd()).toBe('relative');
  });
});

describe('a second agent on the same root', () => {
  test('is told who has it (11), and does nothing', async () => {
    const first = spawn(process.execPath, [program, 'agent', '--root', host.root], {
      env: fleet.world.env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise((resolve) => first.once('exit', resolve));
    onTestFinished(async () => {
      first.kill('SIGKILL');
      await ended;
    });
    await new Promise((resolve) => first.stderr.once('data', resolve));
    const [before, journal] = [host.running(), host.journal()];
    const { code, stderr } = await host.agent();
    expect(code).toBe(11);
    expect(stderr).toMatch(
      new RegExp(`holds the daemon lock: process ${first.pid ?? 0} .*daemon\\.lock\\); \\S+`),
    );
    expect([host.running(), host.journal()]).toEqual([before, journal]);
    first.kill('SIGTERM');
    await ended;
    expect((await host.agent()).code).toBe(0);
  });
});
