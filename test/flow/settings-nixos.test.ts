import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDeployed } from '../rig/fleet.ts';

const fleet = await makeDeployed('autark-settings-nixos');
const { host, world } = fleet;
const agentYaml = host.path('etc/autark/agent.yaml');
const kept = host.path('var/lib/autark/agent.yaml');
const inStore = host.path('nix/store/x-agent.yaml');
const text = (): string => readFileSync(agentYaml, 'utf8');
const enroll = (...args: readonly string[]) => world.autark(['enroll', '--root', host.root, ...args]);
let written: string;

beforeAll(() => {
  written = text();
});
afterAll(() => world.remove());

test('elsewhere than on NixOS no copy of agent.yaml is made, and without the file there is no host', async () => {
  expect((await host.agent()).code).toBe(0);
  expect(existsSync(kept)).toBe(false);
  writeFileSync(kept, written);
  renameSync(agentYaml, `${agentYaml}.away`);
  expect((await host.agent()).code).toBe(2);
  renameSync(`${agentYaml}.away`, agentYaml);
  rmSync(kept);
});

test('on NixOS the agent keeps a copy of what was written, for its owner alone, and follows it', async () => {
  writeFileSync(host.path('etc/NIXOS'), '');
  expect((await host.agent()).code).toBe(0);
  expect(readFileSync(kept, 'utf8')).toBe(written);
  expect(statSync(kept).mode & 0o777).toBe(0o600);
  written = `${written}interval: 1h\n`;
  writeFileSync(agentYaml, written);
  expect((await host.agent()).code).toBe(0);
  expect(readFileSync(kept, 'utf8')).toBe(written);
});

test('what cannot be understood takes the place of no copy', async () => {
  writeFileSync(agentYaml, 'host: [\n');
  expect((await host.agent()).code).toBe(2);
  expect(readFileSync(kept, 'utf8')).toBe(written);
  writeFileSync(agentYaml, written);
});

test('with a link, what it leads to counts and is not copied, and a link to nothing is no missing file', async () => {
  mkdirSync(host.path('nix/store'), { recursive: true });
  writeFileSync(inStore, `# Made elsewhere.\n${written}`);
  rmSync(agentYaml);
  symlinkSync(inStore, agentYaml);
  expect((await host.agent()).code).toBe(0);
  expect(readFileSync(kept, 'utf8')).toBe(written);
  renameSync(inStore, `${inStore}.away`);
  const { code, stderr } = await host.agent();
  expect(code, stderr).not.toBe(0);
  expect(stderr).not.toContain('is gone');
  renameSync(`${inStore}.away`, inStore);
});

test('enroll names all that a linked agent.yaml says otherwise, and where to change it, and writes nothing', async () => {
  const before = text();
  const { code, stdout, stderr } = await enroll(
    '--host',
    'web2',
    '--branch',
    'live',
    '--remote',
    world.remote,
  );
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('--host web1, not web2; --branch main, not live;');
  expect(stderr).toContain('the options of services.autark');
  expect(stderr).not.toContain('--remote');
  expect(readlinkSync(agentYaml)).toBe(inStore);
  expect(text()).toBe(before);
  const same = await enroll('--host', 'web1', '--branch', 'main');
  expect(same.code, same.stderr).toBe(0);
  expect(readlinkSync(agentYaml)).toBe(inStore);
  expect(text()).toBe(before);
});

test('a system that takes the link away leaves the copy: the agent goes on and says so, and enroll too', async () => {
  rmSync(host.path('etc/autark'), { recursive: true });
  const { code, stderr } = await host.agent();
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/agent\.yaml is gone: the copy .* is used/);
  expect((await enroll()).code).toBe(0);
  const refused = await enroll('--host', 'web2');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('remove /var/lib/autark/agent.yaml to begin anew');
});
