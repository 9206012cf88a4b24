import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { verbs } from '../../agent/cli/verbs.ts';
import { type Fleet, type FleetHost, makeFleet, newest } from '../rig/fleet.ts';
import { keepState, loseAllButKeys } from '../rig/lives.ts';
import { showPartitions } from '../rig/fake-disk.ts';
import { commandsOf } from '../rig/loop-disk.ts';
import { describeWith } from '../rig/needs.ts';
import { imageWith, mainAccount, type Provider, startProvider, subPassword } from '../rig/provider.ts';
import {
  diskId,
  exampleFiles,
  exampleSteps,
  type RentedServer,
  rentServer,
  spareId,
} from '../rig/rented-server.ts';
import { must, run } from '../rig/run.ts';
import { ledgerOf } from '../rig/steps.ts';
import { environment, program } from '../rig/world.ts';

const letter = 'Dear reader, this is on the disk that a newcomer once wiped.\n';
const credentials = { PROVIDER_USER: mainAccount.user, PROVIDER_PASSWORD: mainAccount.password };
const branch = 'refs/heads/state/web1';
const format = { name: 'format-disks', run: 'hosts/web1/format', files: ['hosts/web1/disk'] };

/** The server, its fleet, its provider, and what everybody does to them. */
interface Story {
  readonly fleet: Fleet;
  readonly host: FleetHost;
  readonly other: FleetHost;
  readonly server: RentedServer;
  readonly provider: Provider;
  readonly push: (subject: string, lines: readonly string[]) => Promise<string>;
  /** One cycle that ends with this code; what it wrote. */
  readonly cycle: (code: number, env?: Readonly<Record<string, string>>) => Promise<string>;
}

async function begin(): Promise<Story> {
  const fleet = await makeFleet('autark-story');
  onTestFinished(() => fleet.world.remove());
  const host = await fleet.join('web1');
  const other = await fleet.join('web2');
  const server = await rentServer(host);
  const provider = await startProvider(await imageWith(letter));
  onTestFinished(() => provider.stop());
  const files = exampleFiles(provider.url, server.format);
  return {
    ...{ fleet, host, other, server, provider },
    push: (subject, lines) =>
      fleet.server.commit({ files: { ...files, 'fleet.yaml': fleet.fleetYaml('web1', lines) }, subject }),
    async cycle(code, env = {}) {
      const ran = await host.agent({ env: { ...server.env, ...env } });
      expect(ran.code, ran.stderr).toBe(code);
      return ran.stderr;
    },
  };
}

/** What a person in a clone does who has seen the disk; what was written, for whoever writes the file anew. */
async function approve({ world }: Fleet, step: string, serial: string): Promise<unknown> {
  await world.git(['pull', '--quiet']);
  await world.mustAutark(['step', 'approve', 'web1', step, '--serial', serial, '--push']);
  const file = parse(readFileSync(join(world.clone, 'fleet.yaml'), 'utf8')) as {
    readonly hosts: { readonly web1: { readonly steps: readonly { name: string; approved?: unknown }[] } };
  };
  return file.hosts.web1.steps.find(({ name }) => name === step)?.approved;
}

function approved(lines: readonly string[], approval: unknown): readonly string[] {
  const at = lines.findIndex((line) => line.includes(`name: ${format.name}`)) + 1;
  return [...lines.slice(0, at), `    approved: ${JSON.stringify(approval)}`, ...lines.slice(at)];
}

/** The example, as its README tells people to do it. Ends with a server in use, whose disk nothing holds. */
async function provision({ fleet, host, server, provider, push, cycle }: Story): Promise<readonly string[]> {
  const steps = exampleSteps();
  await push('Format and install it', steps);
  const blank = await server.digest();
  expect(await cycle(60)).toContain('the credential PROVIDER_USER was not given');
  expect(provider.calls()).toEqual([]);
  expect(await cycle(60, credentials)).toContain('nobody approved this step on this machine');
  expect(provider.calls()).toEqual([`POST /accounts as ${mainAccount.user}`]);
  expect(await server.digest()).toBe(blank);

  const lines = approved(steps, await approve(fleet, format.name, 'S3R1ALN0'));
  await cycle(0);
  expect(host.motd()).toContain('web1 is formatted and installed');
  expect(provider.calls().slice(1)).toEqual(['GET /image as web1-sub']);
  const { runs = [] } = await ledgerOf(fleet, host);
  expect(runs.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
    'sub-account done',
    'format-disks done',
    'install done',
  ]);
  const password = runs[0]?.yields?.['password'] ?? '';
  expect(Buffer.from(password, 'base64').toString()).toBe(`${subPassword}\n`);
  await server.letGo();
  return lines;
}

/** A file of the disk is read back, and not one of its bytes is another one than before. */
async function unharmed({ server }: Story, whole: string): Promise<void> {
  expect(await server.read('/letter')).toBe(letter.trim());
  expect(await server.digest()).toBe(whole);
}

/** Another machine, in the worst case: one that has a disk of that name, and somebody who exports whatever is asked for. */
async function newcomer({ fleet, host, server }: Story): Promise<string> {
  const home = join(fleet.world.dir, 'newcomer');
  const root = join(home, 'root');
  mkdirSync(join(root, 'dev/disk/by-id'), { recursive: true });
  symlinkSync(server.disk, join(root, 'dev/disk/by-id', diskId));
  const env = { ...environment(home), ...server.env, ...credentials };
  const clone = join(home, 'clone');
  await must('git', ['clone', '--quiet', fleet.world.remote, clone], { env });
  let said = '';
  const tries = async (...args: readonly string[]): Promise<number | null> => {
    const ran = await run(process.execPath, [program, ...args, '--root', root], { cwd: clone, env });
    said += `${args.join(' ')}: ${String(ran.code)} ${ran.stderr}\n`;
    return ran.code;
  };
  const before = (await host.records()).length;
  for (const { name } of verbs) if (name !== 'agent') await Promise.all([tries(name), tries(name, 'web1')]);
  expect(await tries('agent', '--once')).not.toBe(0);
  const there = ['--remote', fleet.world.remote, '--host', 'web1', '--introduction', fleet.introduction];
  await tries('enroll', '--no-service', ...there);
  expect(await tries('agent', '--once')).not.toBe(0);
  await tries('enroll', '--resume');
  expect(await tries('agent', '--once')).not.toBe(0);
  expect(await host.records()).toHaveLength(before);
  return said;
}

const resumed = async ({ host, server }: Story): Promise<string> => {
  const { stderr } = await host.resume({ env: server.env });
  return stderr;
};

/** The commands of docs/restore.md, with what a reader gets from Git. */
async function restore({ fleet, host, server }: Story): Promise<void> {
  const { backups } = await ledgerOf(fleet, host);
  const table = Object.entries(backups).find(([, { of }]) => of === diskId)?.[0] ?? expect.unreachable();
  const identity = ['--identity', fleet.world.adminKey];
  const shown = async (name: string, file: string): Promise<string> => {
    const text = await fleet.world.mustAutark(['backup', 'show', 'web1', name, ...identity]);
    writeFileSync(host.path(file), `${text}\n`);
    return text;
  };
  await fleet.world.git(['pull', '--quiet']);
  await shown(table, 'table');
  const uuid =
    /pv0 \{\s+id = "([^"]+)"/.exec(await shown('lvm-vg0', 'vg0.conf'))?.[1] ?? expect.unreachable();
  const perform = (heading: string) => {
    const commands = commandsOf('restore.md', heading).replaceAll('PV-UUID', uuid);
    const real = commands.replaceAll('/dev/sdX2', `${server.disk}p2`).replaceAll('/dev/sdX', server.disk);
    return server.sh(real, host.root);
  };
  await perform('Partition table');
  await showPartitions(server.disk);
  await perform('LVM');
}

describeWith(['age', 'disks', 'lvm', 'curl'], 'the story that autark answers', () => {
  test('nothing that is missing, old or another’s wipes a server', async () => {
    const story = await begin();
    const { server, host, other, fleet, cycle, push } = story;
    const { git } = fleet.server;
    const lines = await provision(story);
    const whole = await server.digest();
    await unharmed(story, whole);
    const records = await host.records();
    const tip = records.at(-1)?.id ?? '';
    const old = records.findLast(({ status }) => status.outcome.event === 'held')?.id ?? '';
    const kept = keepState(host, 'good');
    const becomes = (id: string) => git(['update-ref', branch, id]);
    const loseBranch = () => git(['update-ref', '-d', branch]);
    const acts = async (subject: string, code: number, why: string): Promise<void> => {
      await push(subject, lines);
      expect(await cycle(code, credentials), subject).toContain(why);
      await unharmed(story, whole);
    };

    expect(await newcomer(story)).toContain('fleet.yaml pins another key for web1');
    await unharmed(story, whole);

    await loseBranch();
    await acts('The state branch is gone', 0, 'state/web1 is gone from the server');
    loseAllButKeys(host);
    await acts('The machine’s own state is gone', 10, 'this machine has no journal');
    expect(await resumed(story)).toContain('web1 goes on from record');
    await acts('It has the state of the server', 0, 'build begins');
    await loseBranch();
    loseAllButKeys(host);
    await acts('Both are gone', 10, 'this machine has no journal');
    expect(await resumed(story)).toContain('neither a journal nor good state');
    await acts('Both are gone still', 10, 'this machine has no journal');

    await becomes(old);
    expect(await resumed(story)).toContain('web1 goes on from record');
    await acts('Installed anew, with the state from before', 60, 'the approval names another installation');

    kept.restore();
    await becomes(tip);
    await acts('As it was', 0, 'build begins');
    await becomes(old);
    await acts('An older state', 0, 'state/web1 was set back on the server');
    await loseBranch();
    await other.agent({ env: { PATH: server.env['PATH'] ?? '' } });
    await becomes((await newest(other)).id);
    await acts('Another host’s state', 0, 'which this host did not sign');
    await otherDisk(story, lines, whole);

    await server.destroyMetadata();
    expect(await server.digest()).not.toBe(whole);
    await restore(story);
    expect(await server.read('/letter')).toBe(letter.trim());
  });
});

/** A step may empty another disk of the server, and before it does, that one's name leads to the disk with the file. */
async function otherDisk(story: Story, lines: readonly string[], whole: string): Promise<void> {
  const { fleet, server, push, cycle } = story;
  const path = `/dev/disk/by-id/${spareId}`;
  const step = { ...format, name: 'format-spare' };
  const more = [
    ...[...lines, `  - name: ${step.name}`, `    run: ${step.run}`],
    ...[`    files: [${step.files.join()}]`, `    destroys: [${path}]`],
  ];
  await push('Format the spare disk', more);
  expect(await cycle(60)).toContain('nobody approved this step');
  await approve(fleet, step.name, '5PAREN00');
  server.link(spareId, 'disk');
  expect(await cycle(60)).toMatch(/S16 .*serial/);
  await unharmed(story, whole);
  server.link(spareId, 'spare');
}
