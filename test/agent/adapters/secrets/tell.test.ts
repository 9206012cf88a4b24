import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { aboutOf, layoutOf, type Layout } from '../../../../agent/adapters/secrets/layout.ts';
import { fileSecrets } from '../../../../agent/adapters/secrets/store.ts';
import { noteTellings, tellNoted } from '../../../../agent/adapters/secrets/tell.ts';
import type { Telling } from '../../../../shared/secrets/place-plan.ts';
import { describeWith } from '../../../rig/needs.ts';
import { makeSecretHost } from '../../../rig/secret-store.ts';
import { failureOf, scratch, valueOf } from '../scratch.ts';

/**
 * Writes down what it was asked, one line a call, and answers of each unit what lies in a file of its name, as systemctl(1)
 * does: blocks with a blank line between, in its own order; of an unknown unit that it was not found, with exit status 0.
 */
const fake = `#!/bin/sh
cd "$AUTARK_TEST_FAKE" || exit 1
echo "$*" >> asked
verb=$1
while [ "$1" != -- ]; do shift; done; shift
if [ -e "$verb-fails" ]; then cat "$verb-fails" >&2; exit 1; fi
[ "$verb" = show ] || exit 0
first=1
for unit; do
  [ "$first" = 1 ] || echo; first=0
  if [ -e "units/$unit" ]; then echo "InactiveExitTimestampMonotonic=$(cat "units/$unit")"; echo LoadState=loaded
  else echo InactiveExitTimestampMonotonic=0; echo LoadState=not-found; fi
done
`;

interface Machine {
  readonly layout: Layout;
  readonly env: Readonly<Record<string, string>>;
  /** What systemctl was asked to do to units; and all of its calls. */
  readonly did: () => readonly string[];
  readonly calls: () => readonly string[];
  /** Makes a verb complain. */
  readonly refuse: (verb: string, words: string) => void;
  readonly isNoted: () => boolean;
}

const swapped = 5_000_000;

/** @param units their names, and when each was started, in microseconds since boot. @param at when secrets were swapped. */
function machine(units: Readonly<Record<string, number>>, at: number | null = swapped): Machine {
  const folder = scratch();
  const layout = layoutOf('/', join(folder, 'state'), join(folder, 'run'));
  placed(layout, at);
  return systemdOf(layout, units);
}

function systemdOf(layout: Layout, units: Readonly<Record<string, number>>): Machine {
  const folder = scratch();
  mkdirSync(join(folder, 'units'));
  for (const [unit, started] of Object.entries(units))
    writeFileSync(join(folder, 'units', unit), String(started));
  writeFileSync(join(folder, 'systemctl'), fake, { mode: 0o755 });
  const calls = (): readonly string[] =>
    existsSync(join(folder, 'asked'))
      ? readFileSync(join(folder, 'asked'), 'utf8').trimEnd().split('\n')
      : [];
  return {
    layout,
    env: { PATH: `${folder}:/usr/bin:/bin`, AUTARK_TEST_FAKE: folder },
    calls,
    did: () => calls().filter((line) => !line.startsWith('show ')),
    refuse: (verb, words) => {
      writeFileSync(join(folder, `${verb}-fails`), `${words}\n`);
    },
    isNoted: () => existsSync(layout.tell),
  };
}

/** A set that was swapped in at that time; with `null` a crash came before that was noted. */
function placed(layout: Layout, at: number | null): void {
  mkdirSync(join(layout.store, '1'), { recursive: true });
  mkdirSync(aboutOf(layout, 1));
  symlinkSync('secrets.d/1', layout.link);
  if (at !== null) writeFileSync(join(aboutOf(layout, 1), 'swapped'), `${at}\n`);
}

const units = [
  'a.service',
  'after.service',
  'at.service',
  'b.service',
  'before.service',
  'c.service',
  'gone.service',
  'never.service',
];
/** For secrets that are still declared with all of these units. */
const note = (layout: Layout, more: readonly Telling[]): Promise<void> =>
  noteTellings(layout, more, [{ restart: units, reload: units }]);

const restart = (unit: string, secret = 'key'): Telling => ({ unit, action: 'restart', secret });
const reload = (unit: string, secret = 'key'): Telling => ({ unit, action: 'reload', secret });

describe('units that have to be told', () => {
  test('are each told once, with the verbs that leave alone what does not run, and then forgotten', async () => {
    const { layout, env, did, calls, isNoted } = machine({ 'a.service': 1, 'b.service': 2, 'c.service': 3 });
    await note(layout, [restart('a.service'), reload('c.service'), restart('b.service')]);
    await note(layout, [restart('a.service', 'other'), reload('c.service', 'other')]);
    expect(isNoted()).toBe(true);
    valueOf(await tellNoted(layout, env));
    expect(did()).toEqual(['try-restart -- a.service b.service', 'try-reload-or-restart -- c.service']);
    expect(isNoted()).toBe(false);
    const before = calls().length;
    valueOf(await tellNoted(layout, env));
    expect(calls()).toHaveLength(before);
  });

  test.each([
    ['before', [restart('a.service'), reload('a.service', 'other')]],
    ['after', [reload('a.service', 'other'), restart('a.service')]],
  ])('are restarted alone when one secret wants that and another a reload, noted %s', async (_, all) => {
    const { layout, env, did } = machine({ 'a.service': 1 });
    for (const each of all) await note(layout, [each]);
    valueOf(await tellNoted(layout, env));
    expect(did()).toEqual(['try-restart -- a.service']);
  });

  test('are spared when they were begun after the swap, and told when begun before or never', async () => {
    const units = {
      'before.service': swapped - 1,
      'after.service': swapped + 1,
      'never.service': 0,
      'at.service': swapped,
    };
    const { layout, env, did, isNoted } = machine(units);
    await note(
      layout,
      Object.keys(units).map((unit) => restart(unit)),
    );
    valueOf(await tellNoted(layout, env));
    expect(did()).toEqual(['try-restart -- before.service never.service at.service']);
    expect(isNoted()).toBe(false);
  });

  test('are all told when nobody knows the time of the swap', async () => {
    const { layout, env, did } = machine({ 'a.service': Number.MAX_SAFE_INTEGER }, null);
    await note(layout, [restart('a.service')]);
    valueOf(await tellNoted(layout, env));
    expect(did()).toEqual(['try-restart -- a.service']);
  });

  test('and that the machine does not know are an error with the secret and the unit; the others are told', async () => {
    const { layout, env, did, isNoted } = machine({ 'a.service': 1, 'c.service': 1 });
    await note(layout, [restart('a.service'), reload('gone.service', 'db'), reload('c.service')]);
    const failure = failureOf(await tellNoted(layout, env));
    expect(failure).toMatchObject({ kind: 'switch-failed', where: 'fleet.yaml: secrets.db.reload' });
    expect(failure.cause).toContain('the secret db is to reload gone.service');
    expect(did()).toEqual(['try-restart -- a.service', 'try-reload-or-restart -- c.service']);
    expect(isNoted()).toBe(false);
  });

  test('and fail by their new value are named in systemd’s words, once; the others are told', async () => {
    const { layout, env, did, isNoted, refuse } = machine({ 'a.service': 1, 'c.service': 1 });
    refuse('try-restart', 'Job for a.service failed.');
    await note(layout, [restart('a.service'), reload('c.service')]);
    const failure = failureOf(await tellNoted(layout, env));
    expect(failure.kind).toBe('switch-failed');
    expect(failure.cause).toContain('Job for a.service failed.');
    expect(did()).toEqual(['try-restart -- a.service', 'try-reload-or-restart -- c.service']);
    expect(isNoted()).toBe(false);
  });

  test('are kept for later when systemd does not answer', async () => {
    const { layout, env, did, isNoted, refuse } = machine({ 'a.service': 1 });
    refuse('show', 'Failed to connect to bus');
    await note(layout, [restart('a.service')]);
    const failure = failureOf(await tellNoted(layout, env));
    expect(failure.kind).toBe('unexpected');
    expect(failure.cause).toContain('Failed to connect to bus');
    expect([did(), isNoted()]).toEqual([[], true]);
    const later = systemdOf(layout, { 'a.service': 1 });
    valueOf(await tellNoted(layout, later.env));
    expect(later.did()).toEqual(['try-restart -- a.service']);
    expect(isNoted()).toBe(false);
  });

  test('are nobody where nothing is noted: systemd is not even asked', async () => {
    const { layout, env, calls, isNoted } = machine({ 'a.service': 1 });
    await note(layout, []);
    expect(isNoted()).toBe(false);
    valueOf(await tellNoted(layout, env));
    expect(calls()).toEqual([]);
  });
});

describeWith(['root'], 'units of secrets that are placed', () => {
  /** The store of a host, as it is on a machine that systemd runs, beside one that another root has. */
  async function hostWith(units: Readonly<Record<string, number>>) {
    const host = await makeSecretHost();
    const { state, run } = host.options;
    const { env, did, calls, isNoted } = systemdOf(layoutOf('/', state, run), units);
    const tellUnits = (more = {}) =>
      fileSecrets({ ...host.options, root: '/', hasSystemd: true, env, ...more }).tellUnits();
    return { host, tellUnits, did, calls, isNoted };
  }
  const placing = { restart: ['a.service'], reload: ['c.service'] };

  test('hear of another value, and of neither the first, nor the same sealed anew, nor none', async () => {
    const { host, tellUnits, did, calls } = await hostWith({ 'a.service': 1, 'c.service': 1 });
    const other = await host.secret('other', 'same', { restart: ['b.service'] });
    const place = async (value: string) => host.place([await host.secret('key', value, placing), other]);
    for (const value of ['one', 'one']) await place(value);
    valueOf(await tellUnits());
    expect(calls()).toEqual([]);
    await place('two');
    valueOf(await tellUnits());
    expect(did()).toEqual(['try-restart -- a.service', 'try-reload-or-restart -- c.service']);
    await host.place([]);
    valueOf(await tellUnits());
    expect(did()).toHaveLength(2);
  });

  test('and are named for a value that did not change are told nothing, and have to be known all the same', async () => {
    const { host, tellUnits, did, calls, isNoted } = await hostWith({ 'a.service': 1, 'c.service': 1 });
    const place = async (more: object) => host.place([await host.secret('key', 'same', more)]);
    await place({});
    await place(placing);
    valueOf(await tellUnits());
    expect([did(), calls().length, isNoted()]).toEqual([[], 1, false]);
    await place({ ...placing, restart: ['a.service', 'typo.service'] });
    expect(failureOf(await tellUnits()).cause).toBe(
      'the secret key is to restart typo.service, which this machine does not know',
    );
    expect(did()).toEqual([]);
    // Said once, and again only when it is declared anew.
    await place({ ...placing, restart: ['a.service', 'typo.service'] });
    valueOf(await tellUnits());
  });

  test('hear of two changes in a row once, and of none below another root or without systemd', async () => {
    const { host, tellUnits, did, calls, isNoted } = await hostWith({ 'a.service': 1, 'c.service': 1 });
    for (const value of ['one', 'two', 'three']) await host.place([await host.secret('key', value, placing)]);
    valueOf(await tellUnits({ root: host.root }));
    valueOf(await tellUnits({ hasSystemd: false }));
    expect([calls(), isNoted()]).toEqual([[], true]);
    valueOf(await tellUnits());
    expect(did()).toEqual(['try-restart -- a.service', 'try-reload-or-restart -- c.service']);
  });

  test('are spared by the time that the placing wrote down, which is of the clock that systemd reads', async () => {
    const soon = Number(process.hrtime.bigint() / 1000n) + 3_600_000_000;
    const { host, tellUnits, did } = await hostWith({ 'a.service': 1, 'c.service': soon });
    for (const value of ['one', 'two']) await host.place([await host.secret('key', value, placing)]);
    valueOf(await tellUnits());
    expect(did()).toEqual(['try-restart -- a.service']);
  });
});
