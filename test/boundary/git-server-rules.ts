import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, newest } from '../rig/fleet.ts';
import { run, type RanProgram } from '../rig/run.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';
import type { SshServer } from '../rig/ssh-server.ts';

/** `examples/git-server`, which is what these tests are about. */
export const example = join(import.meta.dirname, '../../examples/git-server');

/** A fleet whose repository is served as `examples/git-server` says. */
export interface OwnServer {
  readonly fleet: Fleet;
  readonly ssh: SshServer;
  readonly url: string;
  /** Registers a public key under this name, as the README says. */
  readonly letIn: (name: string, publicKey: string) => Promise<unknown>;
}

/** `GIT_SSH_COMMAND` for a person or for somebody who got hold of a host's key. */
export function sshWith({ fleet, ssh }: Pick<OwnServer, 'fleet' | 'ssh'>, key: string): string {
  const known = join(fleet.world.dir, 'known_hosts');
  writeFileSync(known, ssh.knownHost());
  return `ssh -F /dev/null -i ${key} -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile=${known}`;
}

/** From now on the admin's clone reaches the repository over ssh only. */
export async function moveClone(server: Omit<OwnServer, 'letIn'>): Promise<void> {
  const { world } = server.fleet;
  await world.git(['config', 'core.sshCommand', sshWith(server, world.adminKey)]);
  await world.git(['remote', 'set-url', 'origin', server.url]);
}

/** `autark enroll` until the key is wanted, the key let in, and `enroll` again: its fingerprint. */
export async function enrollOver({ fleet, ssh, url, letIn }: OwnServer, host: FleetHost): Promise<string> {
  const knownHosts = host.path('etc/autark/known_hosts');
  mkdirSync(dirname(knownHosts), { recursive: true });
  writeFileSync(knownHosts, ssh.knownHost());
  const enroll = (): Promise<RanProgram> =>
    fleet.world.autark([
      ...['enroll', '--root', host.root, '--remote', url, '--host', host.name],
      ...['--introduction', fleet.introduction],
    ]);
  const refused = await enroll();
  expect(refused.code).toBe(50);
  expect(refused.stderr).toContain('the server refuses the key of this host (publickey)');
  await letIn(host.name, readFileSync(`${gitKeyOf(host)}.pub`, 'utf8'));
  const enrolled = await enroll();
  expect(enrolled.code, enrolled.stderr).toBe(0);
  return enrolled.stdout.split('\n')[0] ?? '';
}

/** web1 enrols, is approved and delivers, and its genesis waits no longer; web2 enrols and waits. */
export async function expectWholeLife(server: OwnServer): Promise<void> {
  const { fleet } = server;
  const [web1, web2] = [fleet.at('web1'), fleet.at('web2')];
  const fingerprint = await enrollOver(server, web1);
  await enrollOver(server, web2);
  expect(await branches(fleet)).toEqual([
    expect.stringMatching(/^refs\/heads\/enroll\/web1\/[0-9a-f]{16}$/),
    expect.stringMatching(/^refs\/heads\/enroll\/web2\/[0-9a-f]{16}$/),
    'refs/heads/main',
  ]);
  await fleet.approve('web1', fingerprint);
  const revision = await fleet.world.commit(execHost('web1', 'hello'), 'Say hello');
  const ran = await web1.agent();
  expect(ran.code, ran.stderr).toBe(0);
  expect(web1.motd()).toBe('hello');
  const records = await web1.records();
  expectChain(records, 'through its server');
  expect(records.at(-1)?.parents[1]).toBe(revision);
  expectAtRest(web1, 'through its server');
  expect(await branches(fleet)).toEqual([
    expect.stringMatching(/^refs\/heads\/enroll\/web2\//),
    'refs/heads/main',
    'refs/heads/state/web1',
  ]);
}

/** The admin's push of a trial to `testing/web1` arrives, is run by the host, and can be taken back. */
export async function expectTrial({ fleet }: OwnServer): Promise<void> {
  const web1 = fleet.at('web1');
  const { world } = fleet;
  const main = await fleet.server.head();
  await world.commit(execHost('web1', 'on trial'), 'Try it', 'refs/heads/testing/web1');
  const ran = await web1.agent();
  expect(ran.code, ran.stderr).toBe(0);
  expect(web1.motd()).toBe('on trial');
  expect((await newest(web1)).status.outcome.event).toBe('testing');
  expect(await fleet.server.head()).toBe(main);
  await world.git(['push', '--quiet', 'origin', ':refs/heads/testing/web1']);
  await world.git(['reset', '--quiet', '--hard', main]);
  expect(await branches(fleet)).not.toContain('refs/heads/testing/web1');
}

/** What anybody else put onto the host's branch is replaced by compare-and-swap, and told (S9). */
export async function expectReplaced({ fleet }: OwnServer): Promise<void> {
  const web1 = fleet.at('web1');
  const before = await newest(web1);
  const revision = await fleet.world.commit(execHost('web1', 'again'), 'Say it again');
  await fleet.world.git(['push', '--quiet', '--force', 'origin', `${revision}:refs/heads/state/web1`]);
  const ran = await web1.agent();
  expect(ran.code, ran.stderr).toBe(0);
  // Which cycle reports it is the agent's choice; that its chain is back on the server is what counts here.
  const records = await web1.records();
  expectChain(records, 'after the replacement');
  expect(records.map(({ id }) => id)).toContain(before.id);
  expect((await newest(web1)).status.system?.revision).toBe(revision);
}

/** With the key of web1 nothing of these can be pushed, and nothing on the server has changed afterwards. */
export async function expectConfined(server: OwnServer): Promise<void> {
  const { fleet } = server;
  const { env, clone } = fleet.world;
  const git = (args: readonly string[]): Promise<string> => fleet.world.git(args);
  const GIT_SSH_COMMAND = sshWith(server, gitKeyOf(fleet.at('web1')));
  const head = await fleet.server.head();
  // A commit on top of main, which no rule about fast-forwards would stop.
  const next = await git(['commit-tree', '-p', head, '-m', 'Taken over', `${head}^{tree}`]);
  const waiting = (await branches(fleet)).find((ref) => ref.startsWith('refs/heads/enroll/web2/')) ?? '';
  const trial = 'refs/heads/testing/web1';
  await git(['push', '--quiet', 'origin', `${head}:${trial}`, `${head}:refs/tags/first`]);
  // The hook shall be what keeps main, not that HEAD names it.
  await fleet.server.git(['config', 'receive.denyDeleteCurrent', 'ignore']);
  const before = await fleet.server.git(['for-each-ref']);
  const push = async (what: readonly string[]): Promise<string[]> => {
    const args = ['push', '--no-verify', '--porcelain', '--force', 'origin', ...what];
    const { stdout } = await run('git', args, { cwd: clone, env: { ...env, GIT_SSH_COMMAND } });
    return stdout.split('\n').filter((line) => line.includes('\t'));
  };
  // A push may name a branch once; of several, each is judged by itself.
  const forbidden = [
    [
      ...[`${next}:refs/heads/main`, `${next}:refs/heads/state/web2`, `${next}:refs/heads/state/web10`],
      ...[`${next}:refs/heads/state/web`, ':refs/heads/state/web1', `${next}:${waiting}`, `${next}:${trial}`],
      ...[`${next}:refs/heads/enroll/web2/0123456789abcdef`, `${next}:refs/heads/enroll/web1/a/b`],
      ...[`${next}:refs/heads/enroll/web10/0123456789abcdef`, `${next}:refs/heads/other`],
      ...[`${next}:refs/tags/mine`, ':refs/tags/first', `${next}:refs/state/web1`],
    ],
    [':refs/heads/main', `:${waiting}`, `:${trial}`],
    [`${head}^:refs/heads/main`],
  ];
  for (const group of forbidden) {
    const answers = await push(group);
    expect(answers.map((line) => line.split('\t')[1]).sort()).toEqual([...group].sort());
    for (const line of answers) expect(line).toMatch(/^!\t.*\[remote rejected\] \(hook declined\)$/);
  }
  expect(await fleet.server.git(['for-each-ref'])).toBe(before);
  // The same key reads, and writes where it may: it is the rules that refused.
  const own = 'refs/heads/enroll/web1/0123456789abcdef';
  expect(await push([`${next}:${own}`])).toEqual([expect.stringMatching(/^\*\t/)]);
  expect(await push([`:${own}`])).toEqual([expect.stringMatching(/^-\t/)]);
  await git(['push', '--quiet', 'origin', `:${trial}`, ':refs/tags/first']);
}

/** The key that a host shows its Git server; another one than signs its records. */
export function gitKeyOf(host: FleetHost): string {
  return host.path('var/lib/autark/git/id_ed25519');
}

async function branches({ server }: Fleet): Promise<string[]> {
  return (await server.git(['for-each-ref', '--format=%(refname)', 'refs/heads'])).split('\n');
}
