/**
 * The machine that an agent, `enroll` and a person at it work with. Beside wire.ts, which has the other roles.
 */
import type { Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import { pathsBelow, type Paths } from '../shared/paths.ts';
import type { AgentHost, HostAccess, OpenedHost } from './host.ts';
import type { Nix } from './nix-ports.ts';
import type { Services } from './unit-ports.ts';
import type { Git } from './git-ports.ts';
import type { HostKeys, Log, Programs, Settings } from './ports.ts';
import { performAtOnce, type Effects, type Perform, type Senses } from './seam.ts';
import type { Access } from './adapters/git/access.ts';
import type { Account } from './adapters/process/account.ts';

/** What an agent's host is made from. */
export interface HostSurroundings {
  /** Absolute; `/` on a real machine. */
  readonly root: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly log: Log;
  /** Stands between the agent and every effect; tests give their own. */
  readonly perform?: Perform;
}

/** The machine below `root`, for the agent and for `enroll`. What its settings decide is opened later. */
export async function agentHostRole({ root, env, perform, log }: HostSurroundings): Promise<AgentHost> {
  (await import('./adapters/heap.ts')).keepHeapSmall();
  const [clocks, randoms, locks, settings, hostKeys, journals, holds, { version }] = await Promise.all([
    import('./adapters/clock.ts'),
    import('./adapters/random.ts'),
    import('./adapters/lock.ts'),
    import('./adapters/settings.ts'),
    import('./adapters/host-keys.ts'),
    import('./adapters/journal.ts'),
    import('./adapters/hold.ts'),
    import('../shared/version.ts'),
  ]);
  const watches = await import('./wire-watch.ts');
  const nextAgents = await import('./adapters/next-agent.ts');
  const paths = pathsBelow(root);
  const clock = clocks.systemClock();
  const random = randoms.systemRandom();
  const files = { settings: settings.fileSettings(paths, log), keys: hostKeys.fileHostKeys(paths) };
  return {
    version,
    root,
    guarantees: await guaranteesOf(paths),
    services: await servicesOf(root, env),
    ...(await programOf(paths, env)),
    nextAgent: nextAgents.nextAgent({ current: `${paths.agentFiles}/current`, env }),
    manager: (await import('./adapters/notify.ts')).serviceManager(env, process.pid),
    perform: perform ?? performAtOnce,
    ...files,
    locks: locks.fileLocks(paths.state, 'autark', clock),
    journals: journals.fileJournals(paths.state),
    holds: holds.fileHolds(paths.state),
    clock,
    random,
    log,
    open: (chosen, access) => openHost(chosen, { ...files, paths, env, log, clock, random }, access),
    watchFiles: (onChange) => watches.watchFiles(paths, log, onChange),
    watchRemote: (chosen, onChange) => watches.watchRemote(chosen, log, onChange),
    watchLinks: (chosen, onChange) => watches.watchLinks(paths, chosen, log, onChange),
  };
}

async function servicesOf(root: string, env: HostSurroundings['env']): Promise<Services> {
  const [{ systemdServices }, { transientServices }, { isNixos }, { shippedFile }, { passedOn }] =
    await Promise.all([
      import('./adapters/services.ts'),
      import('./adapters/transient-services.ts'),
      import('./adapters/nixos.ts'),
      import('./adapters/shipped.ts'),
      import('./adapters/passed-on.ts'),
    ]);
  const options = { root, shipped: shippedFile, env: passedOn(env) };
  return isNixos(root) ? transientServices(options) : systemdServices(options);
}

/** The agent's own program. Only what systemd has begun as a service can give way by ending. */
async function programOf({ agentFiles: folder, currentSystem }: Paths, env: HostSurroundings['env']) {
  const [{ agentFiles }, { agentUnit }, { singleFile }, { passedOn }] = await Promise.all([
    import('./adapters/agent-files.ts'),
    import('./adapters/agent-unit.ts'),
    import('./adapters/shipped.ts'),
    import('./adapters/passed-on.ts'),
  ]);
  const own = (env['NOTIFY_SOCKET'] ?? '') === '' ? undefined : env['AUTARK_PROGRAM'];
  return {
    agentFiles: agentFiles({ folder, own: singleFile() }),
    agentUnit: agentUnit({ currentSystem, own, env: passedOn(env) }),
  };
}

/** What an agent cannot promise where it is not installed with its units and users. */
async function guaranteesOf(paths: Paths): Promise<readonly string[]> {
  const { accountsOf } = await import('./adapters/accounts.ts');
  const unwatched =
    'no watchdog outlives the agent: a switch that ends it is finished or undone when it starts again';
  return [
    ...((await hasUnits(paths)) ? [] : [unwatched]),
    ...(accountsOf(paths.root) === null ? ['git and builds run as the user of the agent'] : []),
  ];
}

interface HostParts extends Pick<Senses, 'clock' | 'random' | 'log'> {
  readonly paths: Paths;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly settings: Settings;
  readonly keys: HostKeys;
}

interface GitParts extends Pick<HostParts, 'paths' | 'env'>, HostAccess {
  readonly account: Account | undefined;
}

async function openHost(
  settings: AgentSettings,
  { paths, env, clock, random, log, ...files }: HostParts,
  { isGuest }: HostAccess = { isGuest: false },
): Promise<Result<OpenedHost>> {
  const [{ loadHostKey, signerWith }, { openPrograms }, { openTrees }, { fileSystems }] = await Promise.all([
    import('./adapters/sign.ts'),
    import('./adapters/process.ts'),
    import('./adapters/trees.ts'),
    import('./adapters/systems.ts'),
  ]);
  const [{ accessOf }, { fileOutbox }, { linuxMachine }, { machineLinks }, { machineHealth }, journal, hold] =
    await Promise.all([
      import('./adapters/git/access.ts'),
      import('./adapters/outbox.ts'),
      import('./adapters/machine.ts'),
      import('./adapters/links.ts'),
      import('./adapters/health.ts'),
      import('./adapters/journal.ts'),
      import('./adapters/hold.ts'),
    ]);
  const keyFile = settings.key ?? (await files.keys.standard()) ?? paths.hostKey;
  const key = await loadHostKey(keyFile);
  if (!key.ok) return key;
  const { state, root } = paths;
  const searchPath = env['PATH'] ?? '/usr/bin:/bin';
  const accounts = (await import('./adapters/accounts.ts')).accountsOf(root);
  const programs = openPrograms(undefined, accounts?.build);
  const access = accessOf(settings, paths);
  const effects: Effects = {
    git: await gitOf(settings, access, { paths, env, isGuest, account: accounts?.git }),
    programs,
    ...(await outliving(settings, programs, { paths, env })),
    trees: openTrees({ directory: paths.tree }),
    nix: await nixOf(settings, access, programs, { paths, env }),
    systems: fileSystems({
      ...{ state, random, searchPath },
      ...(accounts === null ? {} : { builder: accounts.build }),
    }),
    journals: journal.fileJournals(state),
    holds: hold.fileHolds(state),
    outbox: fileOutbox(state),
    machine: linuxMachine({ root, state }),
    links: machineLinks({
      profile: settings.profile ?? paths.profile,
      currentSystem: paths.currentSystem,
      state,
    }),
    health: machineHealth({ root, searchPath, programs }),
    ...(await programOf(paths, env)),
    disks: await (await import('./adapters/disks/here.ts')).disksHere({ root, searchPath, programs }),
    ...(await (
      await import('./wire-secrets.ts')
    ).sealedParts(key.value, { paths, env, hasSystemd: await hasUnits(paths) })),
    ...files,
  };
  const senses: Senses = { signer: signerWith(key.value), clock, random, log };
  return { ok: true, value: { effects, senses, close: () => effects.git.close() } };
}

async function gitOf(
  { remote, stateRemote, branch, host }: AgentSettings,
  access: Access,
  { paths, env, isGuest, account }: GitParts,
): Promise<Git> {
  const { openGit } = await import('./adapters/git/git.ts');
  return openGit({
    ...{ directory: paths.git, remote, branch, host, access, env, isGuest },
    ...(stateRemote === undefined ? {} : { stateRemote }),
    ...(account === undefined ? {} : { account }),
  });
}

/** Units where systemd runs this machine; below another root the machine is not ours to speak to. */
async function outliving(
  { profile = '' }: Partial<AgentSettings>,
  programs: Programs,
  { paths, env }: Pick<HostParts, 'paths' | 'env'>,
): Promise<Pick<Effects, 'activations' | 'watchdog'>> {
  if (!(await hasUnits(paths))) {
    const [{ childActivations }, { nobodyWatches }] = await Promise.all([
      import('./adapters/activation/child.ts'),
      import('./adapters/watchdog/nobody.ts'),
    ]);
    return { activations: childActivations(programs), watchdog: nobodyWatches() };
  }
  const [{ unitActivations }, { unitWatchdog }, { passedOn }] = await Promise.all([
    import('./adapters/activation/unit.ts'),
    import('./adapters/watchdog/watchdog.ts'),
    import('./adapters/passed-on.ts'),
  ]);
  const { shippedFile } = await import('./adapters/shipped.ts');
  const plain = passedOn(env);
  return {
    activations: unitActivations({ folder: paths.activation, env: plain }),
    watchdog: unitWatchdog({
      ...{ folder: paths.watchdog, env: plain, script: shippedFile('autark-go-back') },
      program: [process.execPath, process.argv[1] ?? ''],
      profile: profile === '' ? paths.profile : profile,
    }),
  };
}

async function hasUnits({ root }: Paths): Promise<boolean> {
  const { isBootedBySystemd } = await import('./adapters/systemd.ts');
  return root === '/' && process.geteuid?.() === 0 && isBootedBySystemd();
}

async function nixOf(
  { remote, profile }: AgentSettings,
  access: Access,
  programs: Programs,
  { paths, env }: Pick<HostParts, 'paths' | 'env'>,
): Promise<Nix> {
  const [{ openNix }, { httpLogin, sshCommand }] = await Promise.all([
    import('./adapters/nix/nix.ts'),
    import('./adapters/git/access.ts'),
  ]);
  return openNix({
    home: paths.nix,
    profile: profile ?? paths.profile,
    currentSystem: paths.currentSystem,
    env,
    programs,
    sshCommand: sshCommand(access),
    login: () => httpLogin(remote, access),
  });
}
