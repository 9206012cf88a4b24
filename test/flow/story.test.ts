import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { verbs } from '../../agent/cli/verbs.ts';
import { type Fleet, type FleetHost, makeFleet, newest } from '../rig/fleet.ts';
import { execHost } from '../rig/exec-system.ts';
import { keepState, loseAllButKeys } from '../rig/lives.ts';
import { commandsOf } from '../rig/loop-disk.ts';
import { describeWith } from '../rig/needs.ts';
import { mainAccount, type Provider, startProvider, subPassword } from '../rig/provider.ts';
import {
  diskId,
  exampleFiles,
  exampleSteps,
  type RentedServer,
  rentServer,
  spareId,
} from '../rig/rented-server.ts';
import { must, run } from '../rig/run.ts';
import { approvalOf, ledgerOf, stepProgram } from '../rig/steps.ts';
import { environment, program } from '../rig/world.ts';

const letter = 'Dear reader, this is on the disk that a newcomer once wiped.\n';
const credentials = { PROVIDER_USER: mainAccount.user, PROVIDER_PASSWORD: mainAccount.password };
const branch = 'refs/heads/state/web1';
const format = { name: 'format-disks', run: 'hosts/web1/format', files: ['hosts/web1/disk'] };
const target = `/dev/disk/by-id/${diskId}`;

/** The server, its fleet, its provider, and what everybody does to them. */
interface Story {
  readonly fleet: Fleet;
  readonly host: FleetHost;
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
  const server = await rentServer(host);
  const provider = await startProvider(await image());
  onTestFinished(() => provider.stop());
  const files = exampleFiles(provider.url, server.format);
  return {
    ...{ fleet, host, server, provider },
    push: (subject, lines) =>
      fleet.server.commit({ files: { ...files, 'fleet.yaml': fleet.fleetYaml('web1', lines) }, subject }),
    async cycle(code, env = {}) {
      const ran = await host.agent({ env: { ...server.env, ...env } });
      expect(ran.code, ran.stderr).toBe(code);
      return ran.stderr;
    },
  };
}

/** What the provider installs: a system with one file. */
async function image(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'autark-test-image-'));
  try {
    writeFileSync(join(folder, 'letter'), letter);
    const env = { PATH: process.env['PATH'] ?? '' };
    await must('tar', ['--create', '--file', 'image.tar', 'letter'], { cwd: folder, env });
    return readFileSync(join(folder, 'image.tar'));
  } finally {
    rmSync(folder, { recursive: true });
  }
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
  await fleet.server.commit({ files: { note: 'now' } });
  expect(await cycle(60, credentials)).toContain('nobody approved this step on this machine');
  expect(provider.calls()).toEqual([`POST /accounts as ${mainAccount.user}`]);
  expect(await server.digest()).toBe(blank);

  const lines = approved(steps, await approvalOf(fleet, host, format, [target]));
  await push('Approve what it destroys', lines);
  await cycle(0);
  expect(host.motd()).toContain('web1 is formatted and installed');
  expect(provider.calls().slice(1)).toEqual(['GET /image as web1-sub']);
  const { runs = [], backups } = await ledgerOf(fleet, host);
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

describeWith(['age', 'disks', 'lvm', 'curl'], 'the story that autark answers', () => {
  test('a server is wiped by nobody', { timeout: 400_000 }, async () => {
    const story = await begin();
    const { server } = story;
    const lines = await provision(story);
    const whole = await server.digest();
    expect(await server.read('/letter')).toBe(letter.trim());
  });
});
