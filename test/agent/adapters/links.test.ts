import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { machineLinks } from '../../../agent/adapters/links.ts';
import { bootId } from '../../../agent/adapters/proc.ts';
import { scratch } from './scratch.ts';

function rig() {
  const folder = scratch();
  for (const name of ['profiles', 'run', 'state/generations/5'])
    mkdirSync(join(folder, name), { recursive: true });
  const links = machineLinks({
    profile: join(folder, 'profiles/system'),
    currentSystem: join(folder, 'run/current-system'),
    state: join(folder, 'state'),
  });
  const link = (path: string, target: string): void => {
    symlinkSync(target, join(folder, path));
  };
  return {
    folder,
    links,
    link,
    unlink: (path: string) => {
      unlinkSync(join(folder, path));
    },
  };
}

test('links are read and followed no further than the profile’s own number', async () => {
  const { links, link } = rig();
  link('profiles/system', 'system-7-link');
  link('profiles/system-7-link', '/nix/store/gone');
  link('run/current-system', '/nix/store/other');
  link('state/current', 'generations/5');
  link('state/generations/5/system', '/nix/store/five');
  expect(await links.look(5)).toEqual({
    boot: bootId(),
    leads: { profile: '/nix/store/gone', 'current-system': '/nix/store/other', current: 'generations/5' },
    system: '/nix/store/five',
  });
});

test('what is missing, no link, or leads nowhere is `null`', async () => {
  const { folder, links, link } = rig();
  link('profiles/system', 'system-8-link');
  writeFileSync(join(folder, 'run/current-system'), '/nix/store/other');
  mkdirSync(join(folder, 'state/current'));
  const none = { profile: null, 'current-system': null, current: null };
  expect(await links.look(4)).toMatchObject({ leads: none, system: null });
});

test('a profile that leads to a system itself is taken at its word', async () => {
  const { folder, links, link, unlink } = rig();
  mkdirSync(join(folder, 'system'));
  link('profiles/system', join(folder, 'system'));
  expect((await links.look(1)).leads.profile).toBe(join(folder, 'system'));
  unlink('profiles/system');
  link('profiles/system', '../system');
  expect((await links.look(1)).leads.profile).toBe(join(folder, 'system'));
});
