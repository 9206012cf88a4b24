import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bootId, processStart } from '../../agent/adapters/proc.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { run } from '../rig/run.ts';
import { expectAtRest } from '../rig/sound.ts';

const fleet = await makeDeployed('autark-locks');
const { host, server, world } = fleet;
afterAll(() => world.remove());

const here = { pid: process.pid, started: processStart(process.pid) ?? 0, boot: bootId() };

/** A process that was there and is not any more. */
async function deadProcess(): Promise<typeof here> {
  const script =
    'const { readFileSync } = require("fs"); console.log(process.pid, readFileSync("/proc/self/stat", "utf8"))';
  const { stdout } = await run(process.execPath, ['-e', script], { env: world.env });
  const [pid = '', stat = ''] = stdout.split(/ (.*)/s);
  const started = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  return { pid: Number(pid), started, boot: here.boot };
}

const lock = (holder: typeof here): string =>
  `${JSON.stringify({ id: '0123456789abcdef0123456789abcdef', ...holder, what: 'autark' })}\n`;

const stale: [string, () => Promise<string> | string][] = [
  ['of a process that is dead', async () => lock(await deadProcess())],
  ['of an earlier boot, with the number of a live process', () => lock({ ...here, boot: 'another' })],
  ['of a process whose number was given out anew', () => lock({ ...here, started: here.started - 1 })],
  ['with garbage inside', () => '\0\0\u{1F512} not a lock'],
  ['that is empty', () => ''],
  ['that was cut off', async () => lock(await deadProcess()).slice(0, 40)],
];

test.each(stale)('a lock %s is taken over', async (what, content) => {
  for (const name of ['daemon.lock', 'cycle.lock'])
    writeFileSync(join(host.path('var/lib/autark'), name), await content());
  await server.commit({ files: execHost('web1', what) });
  const { code, stderr } = await host.agent();
  expect(code, stderr).toBe(0);
  expect(host.motd()).toBe(what);
  expectAtRest(host, what);
});

test('a lock of a live process is not: the agent says whose it is (11)', async () => {
  const path = join(host.path('var/lib/autark'), 'daemon.lock');
  writeFileSync(path, lock(here));
  const { code, stderr } = await host.agent();
  expect(code, stderr).toBe(11);
  expect(stderr).toContain(`process ${process.pid} (autark)`);
});
