/** Where autark keeps its files on a host; all of them below `--root`. */
export interface Paths {
  readonly root: string;
  readonly agentYaml: string;
  /** On NixOS, a copy of the former: what to read while that is missing. */
  readonly keptAgentYaml: string;
  /** The journal, the outbox, systems, generations, the Git directory, the locks. */
  readonly state: string;
  /** What is in memory, and gone with a reboot: secrets in the clear. */
  readonly run: string;
  /** What a person said on the machine: `autark hold`. */
  readonly hold: string;
  /** The sealed part of the state, as the next record has it. */
  readonly sealed: string;
  /** The link to the generation that is current. */
  readonly current: string;
  /** The disposable Git directory; what replaces it lies beside it for a moment. */
  readonly git: string;
  /** The key that `enroll` makes for Git servers over ssh: for transport, and for nothing else (S7). */
  readonly gitKey: string;
  /** The keys of Git servers, unless the settings name another file. */
  readonly knownHosts: string;
  readonly tree: string;
  /** How each activation ended, written by its own unit; and what the watchdog needs to go back. */
  readonly activation: string;
  readonly watchdog: string;
  /** The agent itself, where `enroll --install-to` put it: each version, and the link to the current one. */
  readonly agentFiles: string;
  /** A folder of Nix's own: caches, and what opens private inputs. */
  readonly nix: string;
  /** The NixOS system profile, and the link to the system that runs. */
  readonly profile: string;
  readonly currentSystem: string;
  /** The machine's own SSH key, used when it is there. */
  readonly hostKey: string;
  /** The key that `enroll` makes for machines without one. */
  readonly ownKey: string;
}

/** @param root an absolute folder without a trailing slash, or `/` */
export function pathsBelow(root: string): Paths {
  const base = root === '/' ? '' : root;
  const state = `${base}/var/lib/autark`;
  return {
    root,
    agentYaml: `${base}/etc/autark/agent.yaml`,
    keptAgentYaml: `${state}/agent.yaml`,
    state,
    run: `${base}/run/autark`,
    hold: `${state}/hold.json`,
    sealed: `${state}/state`,
    current: `${state}/current`,
    git: `${state}/git/fleet.git`,
    gitKey: `${state}/git/id_ed25519`,
    knownHosts: `${base}/etc/autark/known_hosts`,
    tree: `${state}/tree`,
    activation: `${state}/activation`,
    watchdog: `${state}/watchdog`,
    agentFiles: `${state}/agent`,
    nix: `${state}/nix`,
    profile: `${base}/nix/var/nix/profiles/system`,
    currentSystem: `${base}/run/current-system`,
    hostKey: `${base}/etc/ssh/ssh_host_ed25519_key`,
    ownKey: `${state}/key`,
  };
}
