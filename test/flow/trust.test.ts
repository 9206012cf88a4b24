import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, newest, type Revision } from '../rig/fleet.ts';
import { writeKey } from '../rig/world.ts';

/** What authentic means is tested with shared/trust; here, that the program acts on it (S1, S2, P1). */
let fleet: Fleet & { host: FleetHost };
let host: FleetHost;
let good: string;
beforeAll(async () => {
  fleet = await makeDeployed();
  host = fleet.host;
  good = await fleet.server.head();
});
afterAll(() => fleet.world.remove());

const setMain = (id: string): Promise<string> => fleet.server.git(['update-ref', 'refs/heads/main', id]);
const stranger = () => writeKey(join(fleet.world.dir, 'stranger_key'), 'mallory@example.org');

/** One agent's cycle over a head that must be refused. */
async function refused(head: string, where: string, said: RegExp): Promise<void> {
  const [before, { status }] = [host.running(), await newest(host)];
  const { code, stderr } = await host.agent();
  expect(stderr).toMatch(said);
  expect(stderr).toMatch(new RegExp(`verify: .*\\(${where}\\); \\S+`));
  expect(code).toBe(20);
  expect(host.running()).toEqual(before);
  const record = await newest(host);
  expect(record.status.outcome).toMatchObject({ event: 'held', code: 20, attempted: head, phase: 'verify' });
  expect(record.status.outcome.message).toContain(where);
  expect(record.status).toMatchObject({ accepted: status.accepted, head, system: status.system });
  expect(record.parents).toHaveLength(1);
}

async function recovers(motd: string): Promise<void> {
  expect((await host.agent()).code).toBe(0);
  expect(host.motd()).toBe(motd);
  expect((await newest(host)).status.outcome.code).toBe(0);
}

describe('the configuration branch', () => {
  const evil = execHost('web1', 'evil');

  test.each([
    ['unsigned', () => Promise.resolve({ key: null }), /not signed|no signature/],
    ['signed by a stranger', async () => ({ key: await stranger() }), /not an admin’s key/],
  ] as readonly [string, () => Promise<Partial<Revision>>, RegExp][])(
    '%s is held, and what was good is good again when it is taken back',
    async (_name, how, said) => {
      const bad = await fleet.server.commit({ files: evil, ...(await how()) });
      await refused(bad, bad, said);
      const tip = await newest(host);
      expect((await host.agent()).code).toBe(20);
      expect((await newest(host)).id).toBe(tip.id);
      await setMain(good);
      await recovers('hello');
    },
  );

  test('signed above unsigned is held at the unsigned one', async () => {
    const bad = await fleet.server.commit({ files: evil, key: null });
    const above = await fleet.server.commit({ files: execHost('web1', 'above') });
    await refused(above, bad, /not signed|no signature/);
    await setMain(good);
    good = await fleet.server.commit({ files: execHost('web1', 'good again') });
    await recovers('good again');
  });

  test('set back to an older revision is held, with a way to mend it', async () => {
    const older = await fleet.server.git(['rev-parse', `${good}^`]);
    await setMain(older);
    await refused(older, older, /`git merge -s ours [0-9a-f]{40}`/);
    // The way that was printed: a merge of what was accepted, with the older tree.
    good = await fleet.server.commit({ parents: [older, good], tree: older, subject: 'Merge -s ours' });
    await recovers('hello');
  });

  test('with an unrelated history is held', async () => {
    const root = await fleet.server.commit({ parents: [], tree: good, files: evil });
    await refused(root, root, /does not descend from the introduction/);
    await setMain(good);
    await recovers('hello');
  });

  test('follows who may sign: a removed admin is held, a new one is not', async () => {
    const bob = await writeKey(join(fleet.world.dir, 'bob_key'), 'bob@example.org');
    good = await fleet.server.commit({
      files: { allowed_signers: `bob@example.org ${bob.line}\n`, ...execHost('web1', 'last of alice') },
    });
    await recovers('last of alice');
    const late = await fleet.server.commit({ files: evil });
    await refused(late, late, /not an admin’s key/);
    await setMain(good);
    good = await fleet.server.commit({ files: execHost('web1', 'by bob'), key: bob });
    await recovers('by bob');
  });

  test('never activated anything that was refused', () => {
    expect(readFileSync(host.path('activations'), 'utf8')).not.toMatch(/evil|above/);
  });
});
