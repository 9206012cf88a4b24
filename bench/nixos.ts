import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setSettings } from '../test/rig/interval.ts';
import { makeStore, nixosFiles, type NixStore } from '../test/rig/nix.ts';
import { must } from '../test/rig/run.ts';
import { startSshServer, type SshServer } from '../test/rig/ssh-server.ts';
import { writeKey, type World } from '../test/rig/world.ts';
import { compare, report } from './rounds.ts';
import { makeScene, startAgent, type Agent } from './scene.ts';

/** What one contender has of its own: a fleet, a Nix store, and how its server is reached. */
interface Place {
  readonly world: World;
  readonly store: NixStore;
  readonly remote: string;
  /** For git: how it is to use ssh. */
  readonly ssh: Readonly<Record<string, string>>;
}

/** The least that a NixOS machine could do: fetch, build, sync, set, sync, activate; it verifies nothing. */
const bareLoop = `set -eu
git fetch --quiet origin +main:main
flake="git+file://$PWD?ref=main&rev=$(git rev-parse main)#nixosConfigurations.web1.config.system.build.toplevel"
nix --extra-experimental-features 'nix-command flakes' build --no-link --json "$flake" 2>/dev/null >../built
system=$(sed 's/.*"out":"\\([^"]*\\)".*/\\1/' ../built)
sync -f "$system"
nix-env --profile "$AUTARK_ROOT/profiles/system" --set "$system"
sync -f "$AUTARK_ROOT/profiles"
"$system/bin/switch-to-configuration" switch
`;

/** From the moment a branch moves on the server to the moment an activation begins, on real Nix; and idle polls. */
export async function nixos(): Promise<void> {
  await pushToActivation('on a local remote', undefined);
  const worlds: World[] = [];
  const host = await makeScene([]);
  const ssh = await startSshServer(host.dir);
  try {
    await pushToActivation('over ssh', ssh);
    await idleOverSsh(ssh, worlds);
  } finally {
    await ssh.stop();
    for (const world of [host, ...worlds]) await world.remove();
  }
}

async function pushToActivation(where: string, ssh: SshServer | undefined): Promise<void> {
  const places = { loop: await makePlace(ssh), agent: await makePlace(ssh) };
  const agent = await startHost(places.agent);
  try {
    const root = await prepareLoop(places.loop);
    const rows = await compare(
      [
        {
          name: 'fetch, build, sync, set, activate',
          measure: async () => {
            const begin = await publish(places.loop);
            const env = { ...loopEnvironment(places.loop), AUTARK_ROOT: root };
            await must('sh', ['-c', bareLoop], {
              cwd: join(places.loop.world.dir, 'loop', 'clone.git'),
              env,
            });
            return (await lastBegun(root)) - begin;
          },
        },
        {
          name: 'autark agent',
          measure: async () => {
            const delivered = agent.next('delivered');
            const begin = await publish(places.agent);
            // A server elsewhere tells nobody: both contenders are woken when the branch has moved.
            agent.process.kill('SIGHUP');
            await delivered;
            return (await lastBegun(places.agent.world.root('web1'))) - begin;
          },
        },
      ],
      10,
    );
    report(`Branch moves to activation begins, NixOS ${where}`, 'ms', rows, ['floor × 1.3']);
  } finally {
    await agent.stop();
    for (const { world } of Object.values(places)) await world.remove();
  }
}

async function idleOverSsh(ssh: SshServer, worlds: World[]): Promise<void> {
  const place = await makePlace(ssh);
  worlds.push(place.world);
  const agent = await startHost(place);
  const cwd = join(place.world.dir, 'fetcher.git');
  const env = loopEnvironment(place);
  await must('git', ['clone', '--quiet', '--bare', place.remote, cwd], { env });
  try {
    const rows = await compare(
      [
        {
          name: 'bare no-op git fetch',
          measure: () =>
            timed(() =>
              must('git', ['fetch', '--quiet', '--no-tags', place.remote, '+main:main'], { cwd, env }),
            ),
        },
        {
          name: 'autark agent',
          measure: () =>
            timed(async () => {
              const done = agent.next('idle');
              agent.process.kill('SIGHUP');
              await done;
            }),
        },
      ],
      15,
    );
    report('An idle poll over ssh', 'ms of wall time', rows, ['floor × 1.1']);
  } finally {
    await agent.stop();
  }
}

async function makePlace(ssh: SshServer | undefined): Promise<Place> {
  const world = await makeScene(['web1'], ['--system', 'nixos']);
  const store = await makeStore(join(world.dir, 'nix'));
  if (ssh === undefined) return { world, store, remote: world.remote, ssh: {} };
  const key = join(world.dir, 'git_key');
  const known = join(world.dir, 'known_hosts');
  await writeKey(key, 'web1');
  ssh.allow(await must('ssh-keygen', ['-y', '-f', key], { env: world.env }), 'web1');
  await writeFile(known, ssh.knownHost());
  const remote = ssh.url(world.remote);
  const path = (...parts: readonly string[]): string => join(world.root('web1'), ...parts);
  setSettings({ path }, { remote, gitKey: key, knownHosts: known });
  const command = `ssh -i ${key} -o IdentitiesOnly=yes -o UserKnownHostsFile=${known} -o BatchMode=yes`;
  return { world, store, remote, ssh: { GIT_SSH_COMMAND: command } };
}

/** An agent that has deployed once. */
async function startHost({ world, store }: Place): Promise<Agent> {
  await world.commit(systemOf('first'), 'Begin');
  const agent = startAgent(world, 'web1', store.env);
  await agent.next('delivered');
  return agent;
}

/** A system that notes when its activation begins, before it does anything else. */
function systemOf(motd: string) {
  return nixosFiles({ web1: { motd, activation: 'date +%s%N >>"\\$AUTARK_ROOT/begun"' } });
}

/** Brings a change to the server, then moves the branch to it: only that is timed. */
async function publish({ world }: Place): Promise<number> {
  const id = await world.commit(
    systemOf(`change ${performance.now()}`),
    'Change the greeting',
    'refs/staging/next',
  );
  const begin = Date.now();
  await must('git', ['update-ref', 'refs/heads/main', id], { cwd: world.remote, env: world.env });
  return begin;
}

function loopEnvironment({ world, store, ssh }: Place): Readonly<Record<string, string>> {
  return { ...world.env, ...store.env, ...ssh };
}

async function prepareLoop(place: Place): Promise<string> {
  const root = join(place.world.dir, 'loop', 'root');
  await mkdir(join(root, 'profiles'), { recursive: true });
  const clone = join(place.world.dir, 'loop', 'clone.git');
  await must('git', ['clone', '--quiet', '--bare', place.remote, clone], { env: loopEnvironment(place) });
  await appendFile(join(root, 'begun'), '');
  await rm(join(place.world.dir, 'loop', 'built'), { force: true });
  return root;
}

async function lastBegun(root: string): Promise<number> {
  const lines = (await readFile(join(root, 'begun'), 'utf8')).trim().split('\n');
  return Number(lines.at(-1)) / 1e6;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}
