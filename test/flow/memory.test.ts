import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';
import { expectChain } from '../rig/sound.ts';

/** Knowledge that is missing never permits anything (P4, S2). */
let fleet: Fleet & { host: FleetHost };
let host: FleetHost;
let journal: string;
let kept: string;
beforeAll(async () => {
  fleet = await makeDeployed();
  host = fleet.host;
  journal = host.path('var/lib/autark/journal.json');
  kept = readFileSync(journal, 'utf8');
  await fleet.server.commit({ files: execHost('web1', 'new') });
});
afterAll(() => fleet.world.remove());

describe('a journal', () => {
  test.each([
    [
      'missing',
      () => {
        rmSync(journal);
      },
      /no journal/,
    ],
    [
      'empty',
      () => {
        truncateSync(journal, 0);
      },
      /the file is empty/,
    ],
    [
      'cut off',
      () => {
        truncateSync(journal, 200);
      },
      /it is not JSON/,
    ],
    [
      'garbled',
      () => {
        writeFileSync(journal, kept.replace('"accepted"', '"acepted"'));
      },
      /not as expected/,
    ],
    [
      'with a low revision of another form',
      () => {
        writeFileSync(journal, kept.replace(/"accepted": "./, '"accepted": "Z'));
      },
      /accepted is not as expected/,
    ],
    [
      'of a later format',
      () => {
        writeFileSync(journal, kept.replace('"format": 1', '"format": 2'));
      },
      /format 2, newer than this autark reads/,
    ],
  ])('%s holds the host (10): nothing is deployed, nothing is written over', async (_name, spoil, said) => {
    const [before, tip] = [host.running(), await newest(host)];
    spoil();
    const spoilt = host.state('.').includes('journal.json') ? readFileSync(journal, 'utf8') : null;
    const { code, stderr } = await host.agent();
    expect(stderr).toMatch(said);
    expect(stderr).toMatch(/\(\S*var\/lib\/autark\/journal\.json\); \S+/);
    expect(code).toBe(10);
    expect(host.running()).toEqual(before);
    expect((await newest(host)).id).toBe(tip.id);
    expect(host.state('.').includes('journal.json') ? readFileSync(journal, 'utf8') : null).toBe(spoilt);
    writeFileSync(journal, kept);
  });

  test('missing on a machine with generations is not replaced by enrolling', async () => {
    renameSync(journal, `${journal}.away`);
    const ran = await fleet.world.autark(['enroll', '--root', host.root]);
    expect(ran.code).toBe(10);
    expect(ran.stderr).toMatch(/key has a history as web1.*\(state\/web1, .*`autark enroll --resume`/);
    expect(host.state('.')).not.toContain('journal.json');
    renameSync(`${journal}.away`, journal);
  });

  test('that is restored lets the host go on', async () => {
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('new');
  });

  test('of an earlier day tells one history, and goes on with it', async () => {
    const tip = await newest(host);
    writeFileSync(journal, kept);
    await fleet.server.commit({ files: execHost('web1', 'newer') });
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('newer');
    const records = await host.records();
    expectChain(records, 'after an old journal');
    expect(records.map(({ id }) => id)).toContain(tip.id);
  });
});

describe('agent.yaml', () => {
  const file = (): string => host.path('etc/autark/agent.yaml');

  test.each([
    [
      'missing',
      () => null,
      /not enrolled: there is no agent\.yaml \(etc\/autark\/agent\.yaml\); run `autark enroll/,
    ],
    ['no YAML', (text: string) => `${text}host: [`, /agent\.yaml:\d+:\d+\); \S+/],
    [
      'with an unknown key',
      (text: string) => `${text}intervall: 5s\n`,
      /intervall.*agent\.yaml:\d+:1\); .*interval/,
    ],
    [
      'with a wrong value',
      (text: string) => text.replace(/introduction: .*/, 'introduction: main'),
      /introduction must be .*agent\.yaml:\d+:\d+\)/,
    ],
    ['without a remote', (text: string) => text.replace(/remote: .*\n/, ''), /remote/],
  ])('%s is a sentence and exit code 2', async (_name, spoil, said) => {
    const text = readFileSync(file(), 'utf8');
    const [before, tip] = [host.running(), await newest(host)];
    const spoilt = spoil(text);
    if (spoilt === null) rmSync(file());
    else writeFileSync(file(), spoilt);
    const { code, stderr } = await host.agent();
    writeFileSync(file(), text);
    expect(stderr).toMatch(said);
    expect(code).toBe(2);
    expect(host.running()).toEqual(before);
    expect((await newest(host)).id).toBe(tip.id);
  });

  test('that gives the machine another name is refused (22)', async () => {
    const text = readFileSync(file(), 'utf8');
    writeFileSync(file(), text.replace('host: web1', 'host: web2'));
    const { code, stderr } = await host.agent();
    writeFileSync(file(), text);
    expect(stderr).toMatch(/calls this machine web2, and it enrolled as web1 .*; put `host: web1` back/);
    expect(code).toBe(22);
  });
});

describe('the host’s key', () => {
  const key = (): string => host.path('var/lib/autark/key');

  test.each([
    ['missing', () => null],
    ['garbled', () => 'rubbish\n'],
  ])('%s is a sentence that names the file and what to do', async (_name, spoil) => {
    const text = readFileSync(key(), 'utf8');
    const before = host.running();
    const spoilt = spoil();
    if (spoilt === null) rmSync(key());
    else writeFileSync(key(), spoilt);
    const { code, stderr } = await host.agent();
    writeFileSync(key(), text, { mode: 0o600 });
    expect(stderr).toMatch(new RegExp(`\\(${key()}\\); \\S+`));
    expect(stderr).not.toMatch(/bug in autark/);
    // formats.md: 2 is `agent.yaml` invalid, and what it names is a part of that; 1 would be unexpected.
    expect([1, 2]).toContain(code);
    expect(host.running()).toEqual(before);
  });
});
