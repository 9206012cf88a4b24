import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';

/** A system whose activation is a file of the repository, and which still shows its motd and notes its name. */
function activating(host: string, motd: string, lines: readonly string[] = []) {
  const build = [
    '#!/bin/sh',
    'set -eu',
    'mkdir "$out/bin"',
    'cp "hosts/$AUTARK_HOST/motd" "$out/motd"',
    'cp "hosts/$AUTARK_HOST/activate" "$out/bin/switch-to-configuration"',
  ];
  const activate = [
    '#!/bin/sh',
    'mkdir -p "$AUTARK_ROOT/etc"',
    'cp "$(dirname "$0")/../motd" "$AUTARK_ROOT/etc/motd"',
    'echo "$1 $(cat "$AUTARK_ROOT/etc/motd")" >>"$AUTARK_ROOT/activations"',
    'test ! -e "$AUTARK_ROOT/sick" || exit 5',
    ...lines,
  ];
  return {
    [`hosts/${host}/build`]: { executable: `${build.join('\n')}\n` },
    [`hosts/${host}/activate`]: { executable: `${activate.join('\n')}\n` },
    [`hosts/${host}/motd`]: `${motd}\n`,
  };
}

let fleet: Fleet & { host: FleetHost };
let host: FleetHost;

beforeAll(async () => {
  fleet = await makeDeployed();
  host = fleet.host;
  await fleet.server.commit({ files: activating('web1', 'good') });
  expect((await host.agent()).code).toBe(0);
});
afterAll(() => fleet.world.remove());

const push = (motd: string, lines: readonly string[], yaml: readonly string[] = []): Promise<string> =>
  fleet.server.commit({
    files: { ...activating('web1', motd, lines), 'fleet.yaml': fleet.fleetYaml('web1', yaml) },
  });

describe('an activation that fails', () => {
  test.each([
    ['with an exit code', ['echo "disk is odd"', 'exit 6'], /exited with code 6/],
    ['with 4: done, but units failed', ['exit 4'], /units failed/],
    ['by a signal', ['kill -SEGV $$'], /SIGSEGV/],
    ['by hanging', ['sleep 60 &', 'sleep 60'], /longer than 5 s/],
  ])('%s is undone: the last good generation is activated again, and runs', async (how, lines, said) => {
    const limit = how === 'by hanging' ? '5s' : '1m';
    const before = await newest(host);
    const activations = host.activations();
    const revision = await push(how, lines, [`timeouts: { switch: ${limit} }`]);
    const { code, stderr } = await host.agent();
    expect(code).toBe(40);
    expect(stderr).toMatch(said);
    expect(stderr).toMatch(
      /generation \d+ could not be activated: .* \(generation \d+\); mend the configuration/,
    );
    expect(host.running()).toEqual({
      motd: 'good',
      activations: [...activations, `switch ${how}`, 'switch good'],
    });
    const record = await newest(host);
    expect(record.status.outcome).toMatchObject({ event: 'rolled-back', code: 40, attempted: revision });
    expect(record.status.outcome.message).toMatch(said);
    expect(record.status.system).toEqual(before.status.system);
    expect(record.parents).toEqual([before.id]);
    expect(record.trailers['Autark-Generation']).toBe(before.trailers['Autark-Generation']);
  });

  test('is not tried again', async () => {
    const [before, tip] = [host.running(), await newest(host)];
    expect((await host.agent()).code).toBe(40);
    expect(host.running()).toEqual(before);
    expect(await newest(host)).toEqual(tip);
  });
});

describe('an activation that can be neither finished nor undone', () => {
  test('is said (41), and a later good revision is activated, even one equal to what ran', async () => {
    writeFileSync(host.path('sick'), '');
    const before = await newest(host);
    const revision = await push('worse', []);
    const { code, stderr } = await host.agent();
    expect(code).toBe(41);
    expect(stderr).toMatch(
      /could not be activated.*going back to generation \d+ failed.*; look at the machine/,
    );
    const record = await newest(host);
    expect(record.status.outcome).toMatchObject({ event: 'failed', code: 41, attempted: revision });
    expect(record.parents).toEqual([before.id]);
    expect((await host.agent()).code).toBe(41);

    rmSync(host.path('sick'));
    const activations = host.activations();
    const mended = await push('good', []);
    expect((await host.agent()).code).toBe(0);
    expect(host.running()).toEqual({ motd: 'good', activations: [...activations, 'switch good'] });
    expect((await newest(host)).status).toMatchObject({
      outcome: { event: 'deployed' },
      system: { revision: mended },
    });
  });

  test('the very first one has no way back (41); a good revision heals it', async () => {
    const other = await fleet.join('web2');
    await fleet.server.commit({ files: activating('web2', 'first', ['exit 1']) });
    const { code, stderr } = await other.agent();
    expect(code).toBe(41);
    expect(stderr).toMatch(/there is no earlier generation to go back to/);
    expect(await newest(other)).toMatchObject({
      status: { system: null, outcome: { event: 'failed', code: 41 } },
    });
    await fleet.server.commit({ files: activating('web2', 'second') });
    expect((await other.agent()).code).toBe(0);
    expect(other.motd()).toBe('second');
  });
});

describe('an activation that asks for a reboot', () => {
  test('by exit code 100 is good, and says so until the machine is rebooted', async () => {
    await push('kernel', ['exit 100']);
    expect((await host.agent()).code).toBe(0);
    expect((await newest(host)).status).toMatchObject({
      rebootRequired: true,
      outcome: { event: 'deployed', code: 0 },
    });
    await fleet.server.commit({ files: { 'notes.txt': 'x' } });
    expect((await host.agent()).code).toBe(0);
    expect((await newest(host)).status).toMatchObject({
      rebootRequired: true,
      outcome: { event: 'unchanged' },
    });
  });

  test('and `activate: boot` asks for `boot`', async () => {
    await push('at boot', [], ['activate: boot']);
    expect((await host.agent()).code).toBe(0);
    expect(host.activations().at(-1)).toBe('boot at boot');
    expect((await newest(host)).status.rebootRequired).toBe(true);
  });
});
