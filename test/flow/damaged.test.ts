import { existsSync, readFileSync, readlinkSync, rmSync, truncateSync } from 'node:fs';
import { basename } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildScript, execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';
import { expectChain } from '../rig/sound.ts';
import { wrapGit } from '../rig/wrapped-git.ts';

/** What a host does whose own memory of its generations is not what it was (P2, P4). */
let fleet: Fleet & { host: FleetHost };
let host: FleetHost;
beforeEach(async () => {
  fleet = await makeDeployed('autark-damaged');
  host = fleet.host;
});
afterEach(() => fleet.world.remove());

const failing = { executable: buildScript.replace('\nEND\n', '\nexit 7\nEND\n') };
const push = (motd: string, more = {}): Promise<string> =>
  fleet.server.commit({ files: { ...execHost('web1', motd), ...more }, subject: motd });
const pushFailing = (motd: string, more = {}): Promise<string> =>
  push(motd, { 'hosts/web1/build': failing, ...more });

const generation = (number: number, ...parts: string[]): string =>
  host.path('var/lib/autark/generations', String(number), ...parts);
const current = (): string => readlinkSync(host.path('var/lib/autark/current'));

interface Journal {
  readonly newest: number;
  readonly phase: { readonly at: string };
  readonly running: { readonly path: string; readonly generation: number };
}
const journal = (): Journal => JSON.parse(host.journal()) as Journal;

/** The ways in which a generation's folder may be of no use. */
const damages: readonly [string, (number: number) => void][] = [
  [
    'an emptied generation.json',
    (number) => {
      truncateSync(generation(number, 'generation.json'));
    },
  ],
  [
    'no generation.json',
    (number) => {
      rmSync(generation(number, 'generation.json'));
    },
  ],
  [
    'no folder',
    (number) => {
      rmSync(generation(number), { recursive: true });
    },
  ],
];

describe.each(damages)('a generation with %s', (_name, damage) => {
  test('cannot be gone back to (41); the next cycle looks again, and a good revision is deployed', async () => {
    damage(1);
    const bad = await pushFailing('bad');
    const { code, stderr } = await host.agent();
    expect(code).toBe(41);
    expect(stderr).toMatch(/generation 1 is gone from the disk, or damaged.*; look at the machine/);
    expect((await newest(host)).status.outcome).toMatchObject({ event: 'failed', code: 41, attempted: bad });
    expect((await newest(host)).status.outcome.message).toMatch(/gone .* or damaged/);
    expect(journal().phase).toEqual({ at: 'idle' });

    const git = await wrapGit(fleet.world);
    const seq = (await newest(host)).status.seq;
    expect((await host.agent({ env: git.env })).code).toBe(41);
    expect(git.calls()).toContain('fetch');
    expect((await newest(host)).status.seq).toBe(seq);

    const good = await push('good');
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('good');
    expect((await newest(host)).status).toMatchObject({
      outcome: { event: 'deployed', code: 0 },
      system: { revision: good, generation: 3 },
    });
    expect(current()).toBe('generations/3');
    expectChain(await host.records(), 'after the damage');
  });

  test('does not give its number away while it runs', async () => {
    await push('two');
    expect((await host.agent()).code).toBe(0);
    expect(journal().running.generation).toBe(2);
    damage(2);
    await push('three');
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('three');
    expect(current()).toBe('generations/3');
    expect((await newest(host)).status.system?.generation).toBe(3);
  });

  test('does not cost the system that runs, when nothing else can be activated', async () => {
    const { path } = journal().running;
    damage(1);
    await pushFailing('bad');
    expect((await host.agent()).code).toBe(41);
    expect(existsSync(`${path}/bin/switch-to-configuration`)).toBe(true);
  });
});

describe('generation numbers', () => {
  const keepNone = () => ({ 'fleet.yaml': fleet.fleetYaml('web1', ['keep: 0']) });
  const numberIn = (message = ''): number => Number(/generation (\d+) could not/.exec(message)?.[1]);

  test('only rise: also when those that failed are kept no longer', async () => {
    const numbers: number[] = [];
    for (const motd of ['bad', 'worse', 'worst']) {
      await pushFailing(motd, keepNone());
      expect((await host.agent()).code).toBe(40);
      numbers.push(numberIn((await newest(host)).status.outcome.message));
      expect(host.state('generations')).toEqual(['1']);
      expect(current()).toBe('generations/1');
    }
    expect(numbers).toEqual([2, 3, 4]);
    await push('good', keepNone());
    expect((await host.agent()).code).toBe(0);
    expect((await newest(host)).status.system?.generation).toBe(5);
    expect(current()).toBe('generations/5');
  });

  test('go on where they were when the whole folder of generations is gone', async () => {
    await push('two');
    expect((await host.agent()).code).toBe(0);
    rmSync(host.path('var/lib/autark/generations'), { recursive: true });
    await push('three');
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('three');
    expect(current()).toBe('generations/3');
  });
});

test('without its generations a host keeps what runs through a build that fails', async () => {
  const { path } = journal().running;
  rmSync(host.path('var/lib/autark/generations'), { recursive: true });
  await push('unbuilt', { 'hosts/web1/build': { executable: '#!/bin/sh\necho x >"$out/x"\nexit 1\n' } });
  expect((await host.agent()).code).toBe(30);
  expect(journal().running.path).toBe(path);
  expect(readFileSync(`${path}/etc/motd`, 'utf8')).toBe('hello\n');
  // Only that: what was half built is gone.
  expect(host.state('systems')).toEqual([basename(path)]);
  expect(host.motd()).toBe('hello');

  await push('hello', { 'docs/note': 'the same system\n' });
  expect((await host.agent()).code).toBe(0);
  expect(existsSync(path)).toBe(true);
  await push('mended');
  expect((await host.agent()).code).toBe(0);
  expect(host.motd()).toBe('mended');
});
