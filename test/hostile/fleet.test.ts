import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { writeKey } from '../rig/world.ts';
import { forge } from './forge.ts';
import { against, besiege, expectOutcome, victim } from './siege.ts';
import type { Cause } from './subject.ts';

/** What is said of hosts, to whom, and by whom: the victim is as often a reader as it is a host. */
const siege = await besiege('fleet');
afterAll(() => siege.lift());

const { ground, front, machine, daemon, subject } = siege;
const { server } = ground;
const mallory = await writeKey(join(ground.dir, 'served/mallory_key'), 'mallory@example.org');
const other = await siege.another('web2');
const reader = front.url('reader');

const tipOf = (ref: string): Promise<string> => server.git(['rev-parse', '--verify', ref]);

/** The agent puts its branch back with the next record, says why at once, and tells it in the one after. */
async function putsBack(line: string, cause: Cause): Promise<void> {
  const before = siege.state({ besidesActivation: true });
  const mark = daemon.mark();
  const { words } = subject.says[cause];
  await siege.deploys(`after ${line}`);
  await daemon.says(words, mark);
  await machine.checkPublished(ground.repository);
  expect(siege.state({ besidesActivation: true })).toEqual(before);
  await siege.deploys(`again after ${line}`);
  expectOutcome(await other.once(), 0);
  expect(await ground.look(reader)).toMatchObject({ code: 0, doubts: false });
  const told = await server.git(['log', '--first-parent', '-3', '--format=%B', machine.stateRef]);
  expect(told).toMatch(words);
}

/** A reader who has everything checked is told that it is not well, of whom, and which commit shows it. */
async function finds(...named: readonly string[]): Promise<void> {
  const { code, output } = await ground.audit(reader);
  expect(code, output).not.toBe(0);
  for (const each of named) expect(output).toContain(each);
}

against('state-deleted', async () => {
  await server.git(['update-ref', '-d', machine.stateRef]);
  await putsBack('state-deleted', 'state gone');
});

against('state-replayed', async () => {
  await server.git(['update-ref', machine.stateRef, `${machine.stateRef}~2`]);
  await putsBack('state-replayed', 'state set back');
});

against('state-replayed-to-readers', async () => {
  expectOutcome(await ground.audit(reader), 0);
  const older = await tipOf(`${machine.stateRef}~2`);
  front.be({ kind: 'moves', refs: { [machine.stateRef]: older } }, 'reader');
  await finds(victim, older);
  front.be({ kind: 'honest' });
  expectOutcome(await ground.audit(reader), 0);
});

against('state-swapped', async () => {
  const [mine, theirs] = [await tipOf(machine.stateRef), await tipOf(other.stateRef)];
  await server.git(['update-ref', machine.stateRef, theirs]);
  await server.git(['update-ref', other.stateRef, mine]);
  const look = await ground.look(reader);
  expect(look.doubts, look.output).toBe(true);
  await putsBack('state-swapped', 'state not its own');
  await other.checkPublished(ground.repository);
  front.be({ kind: 'moves', refs: { [machine.stateRef]: theirs, [other.stateRef]: mine } }, 'reader');
  await finds(victim, theirs, 'web2', mine);
  front.be({ kind: 'honest' });
});

against('state-overwritten', async () => {
  const tip = await tipOf(machine.stateRef);
  const content = await server.git(['cat-file', 'commit', tip]);
  const message = content.slice(content.indexOf('\n\n') + 2);
  const forged = await forge(server, { parents: [tip], key: mallory, message: `${message}\n` });
  await server.git(['update-ref', machine.stateRef, forged]);
  const look = await ground.look(reader);
  expect(look.doubts, look.output).toBe(true);
  await putsBack('state-overwritten', 'state not its own');
  front.be({ kind: 'moves', refs: { [machine.stateRef]: forged } }, 'reader');
  await finds(victim, forged);
  front.be({ kind: 'honest' });
});

against('two-views', async () => {
  const good = siege.good();
  const files = (text: string) => ({ ...ground.system(victim, text), ...ground.system('web2', text) });
  const one = await server.commit({ files: files('one'), parents: [good], ref: null });
  const two = await server.commit({ files: files('two'), parents: [good], ref: null });
  const mark = daemon.mark();
  front.be({ kind: 'moves', refs: { 'refs/heads/main': one } });
  front.be({ kind: 'moves', refs: { 'refs/heads/main': two } }, 'web2');
  daemon.nudge();
  await siege.publishes([one], mark);
  expectOutcome(await other.once(), 0);
  // Both follow what admins signed, and neither can know of the other.
  expect(machine.running().system).toBe('one');
  expect(other.running().system).toBe('two');
  const look = await ground.audit(reader);
  await siege.deploys('both views merged', { above: [one, two] });
  expectOutcome(await other.once(), 0);
  expect(other.running().system).toBe('hello');
  expect(look.code, look.output).not.toBe(0);
  for (const each of [one, two, victim, 'web2']) expect(look.output).toContain(each);
});

against('taken-name', async () => {
  const before = siege.state();
  const impostor = await ground.enrol(victim, front.url('impostor'), 'impostor');
  siege.disregard(impostor.machine);
  const { code, words } = subject.says['another machine is that host'];
  expectOutcome(await impostor.machine.once(), code, words);
  expect(impostor.machine.running().system).toBeNull();
  expect((await ground.approve(victim, impostor.fingerprint)).code).not.toBe(0);
  expect(siege.state()).toEqual(before);
  await siege.deploys('after the impostor');
  await machine.checkPublished(ground.repository);
});

against('genesis-substituted', async () => {
  const real = await ground.enrol('web3', front.url('web3'));
  const thief = await ground.enrol('web3', front.url('thief'), 'thief');
  for (const each of [real, thief]) siege.disregard(each.machine);
  // In the place of each the other one, and then something that neither of them signed.
  const [a, b] = [real.waitsAt, thief.waitsAt];
  const [x, y] = [await tipOf(a), await tipOf(b)];
  const strange = await forge(server, { parents: [], tree: x, key: mallory });
  const head = await server.head();
  for (const [first, second] of [
    [y, x],
    [strange, strange],
  ] as const) {
    await server.git(['update-ref', a, first]);
    await server.git(['update-ref', b, second]);
    const approved = await ground.approve('web3', real.fingerprint);
    expect(approved.code, approved.output).not.toBe(0);
    expect(await server.head()).toBe(head);
  }
  await server.git(['update-ref', a, x]);
  await server.git(['update-ref', b, y]);
  expectOutcome(await ground.approve('web3', real.fingerprint), 0);
  await siege.reaches(await server.commit({ files: ground.system('web3', 'real') }));
  expectOutcome(await real.machine.once(), 0);
  expect(real.machine.running().system).toBe('real');
  const { code } = subject.says['another machine is that host'];
  expectOutcome(await thief.machine.once(), code);
  expect(thief.machine.running().system).toBeNull();
});

against('laptop', async () => {
  const tip = await tipOf(machine.stateRef);
  const laptop = await ground.pretender(machine, 'laptop');
  siege.disregard(laptop);
  const { code, words } = subject.says['no memory of its own'];
  expectOutcome(await laptop.once(), code, words);
  expect((await laptop.resume()).code).not.toBe(0);
  expect(laptop.running()).toEqual({ system: null, activations: [] });
  expect(await tipOf(machine.stateRef)).toBe(tip);
  await siege.deploys('after the laptop');
  await machine.checkPublished(ground.repository);
});
