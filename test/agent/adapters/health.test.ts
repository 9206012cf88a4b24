import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { machineHealth } from '../../../agent/adapters/health.ts';
import { openPrograms } from '../../../agent/adapters/process.ts';
import type { Check } from '../../../shared/health/check.ts';

const folder = mkdtempSync(join(tmpdir(), 'autark-health-'));
const bin = join(folder, 'bin');
const tree = join(folder, 'tree');
const servers: Server[] = [];

function script(path: string, lines: readonly string[]): void {
  writeFileSync(path, `#!/bin/sh\n${lines.join('\n')}\n`);
  chmodSync(path, 0o755);
}

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const options = { root: '/', searchPath: `${bin}:/usr/bin:/bin`, programs: openPrograms(), systemd: folder };
const health = machineHealth(options);
let web = 0;
let silent = 0;

beforeAll(async () => {
  mkdirSync(bin);
  mkdirSync(tree);
  script(join(bin, 'systemctl'), [
    'case "$*" in',
    '"show --property=ActiveState --value -- up.service") echo active ;;',
    '"show "*) echo failed ;;',
    '"list-units --state=failed "*) echo "b.service loaded failed failed B"; echo "a.mount loaded failed failed A" ;;',
    '"list-units --state=failed,activating "*) echo "b.service loaded failed failed B"; echo "a.service loaded activating auto-restart A" ;;',
    'esac',
  ]);
  script(join(tree, 'good'), ['test "$PWD" = "$(dirname "$0")" && test "$AUTARK_HOST" = web1']);
  script(join(tree, 'bad'), ['echo "no disk"; exit 3']);
  script(join(tree, 'slow'), ['exec sleep 60']);
  web = await listen(
    createHttp((request, response) => {
      response.writeHead(Number(request.url?.slice(1)), { location: '/500' });
      response.end();
    }),
  );
  silent = await listen(createServer(() => undefined));
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

const look = (kind: Check['kind'], target: string, timeout = 10_000) =>
  health.look(
    { kind, target, timeout, retries: 0, soak: 0 },
    { tree, env: { PATH: '/usr/bin:/bin', AUTARK_HOST: 'web1' } },
    { timeout, signal: new AbortController().signal },
  );

describe('http', () => {
  test.each([200, 204, 302])('status %d is good, and no redirect is followed', async (status) => {
    expect(await look('http', `http://127.0.0.1:${web}/${status}`)).toMatchObject({ good: true });
  });
  test.each([404, 500])('status %d is not, and is named', async (status) => {
    const seen = `answered with status ${status}`;
    expect(await look('http', `http://127.0.0.1:${web}/${status}`)).toEqual({ good: false, seen });
  });
  test('a server that says nothing is too late', async () => {
    const seen = 'did not answer within 0.1 s';
    expect(await look('http', `http://127.0.0.1:${silent}/`, 100)).toEqual({ good: false, seen });
  });
});

test('tcp: a port that accepts is good; one that refuses is not', async () => {
  expect(await look('tcp', `127.0.0.1:${silent}`)).toMatchObject({ good: true });
  const refused = await look('tcp', '127.0.0.1:1');
  expect(refused).toMatchObject({ good: false });
  expect(refused.seen).toMatch(/ECONNREFUSED/);
});

test('unit: only an active one is good', async () => {
  expect(await look('unit', 'up.service')).toMatchObject({ good: true });
  expect(await look('unit', 'down.service')).toEqual({ good: false, seen: 'is failed' });
});

describe('command', () => {
  test('runs in the tree; exit code 0 is good', async () => {
    expect(await look('command', 'good')).toMatchObject({ good: true });
  });
  test('another exit code is not, and its output is shown', async () => {
    const sight = await look('command', 'bad');
    expect(sight).toMatchObject({ good: false, seen: 'exited with code 3' });
    expect(sight.detail).toContain('no disk');
  });
  test('one that takes too long, or is not there, is not', async () => {
    expect((await look('command', 'slow', 200)).seen).toBe('took longer than 0.2 s');
    expect((await look('command', 'none')).seen).toMatch(/could not be started/);
  });
});

test('failed units are named, sorted; nobody can say below another root, or where systemd does not run', async () => {
  expect(await health.failedUnits()).toEqual(['a.mount', 'b.service']);
  expect(await machineHealth({ ...options, root: folder }).failedUnits()).toBeNull();
  expect(await machineHealth({ ...options, systemd: join(folder, 'none') }).failedUnits()).toBeNull();
});

test('a unit that is started again after a failure is not well either, though it has not failed for good', async () => {
  expect(await health.unwellUnits()).toEqual(['a.service', 'b.service']);
  expect(await machineHealth({ ...options, root: folder }).unwellUnits()).toBeNull();
});
