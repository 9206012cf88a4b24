import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect } from 'vitest';
import { against, besiege, expectOutcome, victim } from './siege.ts';
import type { Machine, Outcome } from './subject.ts';

/**
 * What becomes of a machine that does not know any more what it knew. The agent runs a cycle at a time here, for its
 * files are changed behind its back; each test begins with the same machine and the same repository.
 */
const siege = await besiege('memory');
await siege.daemon.stop();
afterAll(() => siege.lift());

const { ground, front, machine, subject } = siege;
const { server } = ground;
const { memory, stateRef } = machine;

const first = siege.good();
const spare = join(ground.dir, 'served/spare');
const begin = await server.git(['rev-parse', stateRef]);
await cp(machine.root, spare, { recursive: true, verbatimSymlinks: true });

let before: unknown;
beforeEach(async () => {
  await rm(machine.root, { recursive: true });
  await cp(spare, machine.root, { recursive: true, verbatimSymlinks: true });
  front.be({ kind: 'honest' });
  await siege.setMain(first);
  await server.git(['update-ref', stateRef, begin]);
  before = siege.state({ besidesActivation: true });
});
afterEach(() => {
  expect(siege.state({ besidesActivation: true })).toEqual(before);
});

/** An admin pushes a system. */
async function pushed(text: string, above: string): Promise<string> {
  return server.commit({ files: ground.system(victim, text), parents: [above], subject: text });
}

/** And the machine runs it after one cycle. */
async function deployed(text: string, above: string, on: Machine = machine): Promise<string> {
  const revision = await pushed(text, above);
  expectOutcome(await on.once(), 0);
  expect(on.running().system).toBe(text);
  return revision;
}

/** A cycle that changes nothing of what runs, and says why. */
async function refuses(cause: keyof typeof subject.says, named = ''): Promise<void> {
  const ran = machine.running();
  const { code, words } = subject.says[cause];
  const outcome = await machine.once();
  expectOutcome(outcome, code, words);
  expect(outcome.output).toContain(named);
  expect(machine.running()).toEqual(ran);
}

/** The whole of what it published is there, and one of the records says this. */
async function hasPublished(words: RegExp): Promise<void> {
  await machine.checkPublished(ground.repository);
  expect(await server.git(['log', '--first-parent', '--format=%B', stateRef])).toMatch(words);
}

against('old-journal', async () => {
  const journal = await readFile(memory.journal);
  const two = await deployed('two', first);
  const three = await deployed('three', two);
  await writeFile(memory.journal, journal);
  // News to the old journal, and a step back all the same.
  await siege.setMain(two);
  await refuses('below the floor', three);
  await deployed('four', three);
  await machine.checkPublished(ground.repository);
});

against('lost-journal', async () => {
  const two = await deployed('two', first);
  await rm(memory.journal);
  await pushed('not by a machine without memory', two);
  await refuses('no memory of its own');
  expectOutcome(await machine.resume(), 0);
  await siege.setMain(first);
  await refuses('below the floor', two);
  await deployed('three', two);
  await machine.checkPublished(ground.repository);
});

against('lost-journal-hidden-state', async () => {
  const two = await deployed('two', first);
  await rm(memory.journal);
  front.be({ kind: 'hides', refs: ['refs/heads/state'] }, victim);
  await pushed('not by a machine without memory', two);
  const { code } = subject.says['no memory of its own'];
  expectOutcome(await machine.resume(), code);
  await refuses('no memory of its own');
  front.be({ kind: 'honest' });
  expectOutcome(await machine.resume(), 0);
  await deployed('three', two);
  await machine.checkPublished(ground.repository);
});

/** The machine's disk as it was at an earlier time, but for the system that its activation left. */
async function restoreTo(earlier: string): Promise<void> {
  await rm(memory.folder, { recursive: true });
  await cp(earlier, memory.folder, { recursive: true, verbatimSymlinks: true });
}

async function takeSnapshot(): Promise<string> {
  const place = join(ground.dir, 'served/disk');
  await rm(place, { recursive: true, force: true });
  await cp(memory.folder, place, { recursive: true, verbatimSymlinks: true });
  return place;
}

against('restored-snapshot', async () => {
  const earlier = await takeSnapshot();
  const two = await deployed('two', first);
  const three = await deployed('three', two);
  await restoreTo(earlier);
  await siege.setMain(two);
  await refuses('below the floor', three);
  await deployed('four', three);
  await hasPublished(/restored/);
});

against('restored-snapshot-twice', async () => {
  const earlier = await takeSnapshot();
  const two = await deployed('two', first);
  await restoreTo(earlier);
  const three = await deployed('three', two);
  await restoreTo(earlier);
  const tip = await server.git(['rev-parse', stateRef]);
  const four = await pushed('four', three);
  const { code, words } = subject.says['state is another’s'];
  expectOutcome(await machine.once(), code, words);
  // What it may not do is speak; what it must do is follow.
  expect(machine.running().system).toBe('four');
  expect(await server.git(['rev-parse', stateRef])).toBe(tip);
  expectOutcome(await machine.resume(), 0);
  await deployed('five', four);
  await machine.checkPublished(ground.repository);
});

against('two-machines', async () => {
  const other = await ground.copyOf(machine, 'copy');
  siege.disregard(other);
  before = siege.state({ besidesActivation: true });
  const { code, words } = subject.says['state is another’s'];
  let good = first;
  let stopped: Outcome | undefined;
  for (let round = 0; round < 3 && stopped === undefined; round += 1) {
    good = await pushed(`round ${round}`, good);
    for (const each of [machine, other]) {
      const outcome = await each.once();
      expect([0, code], outcome.output).toContain(outcome.code);
      expect(each.running().system).toBe(`round ${round}`);
      if (outcome.code === code) stopped = outcome;
    }
  }
  expect(stopped?.output).toMatch(words);
  await machine.checkPublished(ground.repository);

  expectOutcome(await machine.resume(), 0);
  await deployed('by the one that goes on', good);
  expectOutcome(await other.once(), code, words);
  await deployed('and again', await server.head());
  await machine.checkPublished(ground.repository);
});
