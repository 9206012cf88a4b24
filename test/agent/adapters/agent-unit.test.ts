import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentUnit } from '../../../agent/adapters/agent-unit.ts';
import { failureOf, scratch, valueOf } from './scratch.ts';

const own = '/nix/store/aaaa-autark-1.0.0/bin/autark';
const other = '/nix/store/bbbb-autark-1.1.0/bin/autark';

/** As NixOS writes a service, begun in whatever way its owner likes. */
const unitWith = (program: string, execStart = `${program} agent`): string =>
  ['[Service]', 'Environment="PATH=/nix/store/cccc-git/bin"', `Environment="AUTARK_PROGRAM=${program}"`]
    .concat([`ExecStart=${execStart}`, ''])
    .join('\n');

/**
 * @param unit the file on the machine; `null` for none
 * @param loaded the program of what systemd has loaded, as `systemctl show` prints it; `null` where it does not answer
 */
function machine(unit: string | null, loaded: string | null) {
  const dir = scratch();
  const asked = join(dir, 'asked');
  mkdirSync(join(dir, 'bin'));
  mkdirSync(join(dir, 'system/etc/systemd/system'), { recursive: true });
  if (unit !== null) writeFileSync(join(dir, 'system/etc/systemd/system/autark.service'), unit);
  const answer = `PATH=/nix/store/cccc-git/bin AUTARK_PROGRAM=${loaded ?? ''} LOCALE_ARCHIVE=/run/x`;
  const script = `#!/bin/sh\n: >'${asked}'\n[ "$*" = 'show --property=Environment --value autark.service' ] && ${loaded === null ? 'exit 1' : `echo '${answer}'`}\n`;
  writeFileSync(join(dir, 'bin/systemctl'), script, { mode: 0o755 });
  const env = { PATH: `${join(dir, 'bin')}:/usr/bin:/bin` };
  return {
    isAsked: () => existsSync(asked),
    unit: (program?: string) => agentUnit({ currentSystem: join(dir, 'system'), own: program, env }),
  };
}

test('an agent is replaced once systemd has loaded a unit that names another program', async () => {
  const { unit } = machine(unitWith(other), other);
  expect(valueOf(await unit(own).isReplaced())).toBe(true);
});

test('a unit that systemd has not loaded yet replaces nobody', async () => {
  const { unit, isAsked } = machine(unitWith(other), own);
  expect(valueOf(await unit(own).isReplaced())).toBe(false);
  expect(isAsked()).toBe(true);
});

test('where nothing has changed systemd is not even asked', async () => {
  const { unit, isAsked } = machine(unitWith(own), own);
  expect(valueOf(await unit(own).isReplaced())).toBe(false);
  expect(isAsked()).toBe(false);
});

test('a program that is put around the agent is no other agent: the next one would find itself replaced again', async () => {
  const { unit } = machine(unitWith(own, '/nix/store/dddd-around/bin/around autark agent'), own);
  expect(valueOf(await unit(own).isReplaced())).toBe(false);
});

test('an agent that no configuration began has no place to give away', async () => {
  const { unit } = machine(unitWith(other), other);
  expect([await unit().isReplaced(), await unit('').isReplaced()].map(valueOf)).toEqual([false, false]);
});

test.each([
  ['no unit at all', null],
  ['a unit of before, which names none', `[Service]\nExecStart=${other} agent\n`],
])('%s replaces nobody', async (_what, text) => {
  expect(valueOf(await machine(text, other).unit(own).isReplaced())).toBe(false);
});

test('a systemd that does not answer says neither yes nor no: who would confirm must not be guessed', async () => {
  const { unit } = machine(unitWith(other), null);
  expect(failureOf(await unit(own).isReplaced())).toMatchObject({
    kind: 'unexpected',
    where: 'autark.service',
  });
});
