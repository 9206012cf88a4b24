import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { makeFleet, type Fleet, type FleetHost } from './fleet.ts';
import { must } from './run.ts';

/** A Nix store of a test's own, below its folder: nothing of it is in the machine's. */
export interface NixStore {
  readonly dir: string;
  /** What every Nix, and an agent that starts one, is given to use this store. */
  readonly env: Readonly<Record<string, string>>;
  /** One of Nix's programs, which must succeed: its standard output. */
  nix(program: string, ...args: readonly string[]): Promise<string>;
  /** Builds `nixosConfigurations.<name>` of a flake, as a person would: its path. */
  build(flake: string, name: string): Promise<string>;
}

export interface StoreOptions {
  /** A folder in front of PATH, with another Nix or a wrapper of it. */
  readonly programs?: string;
  /** Further lines of nix.conf(5). */
  readonly settings?: readonly string[];
}

/** Without sandbox, build users and substituters: builders are /bin/sh of this machine, and nothing is fetched. */
export async function makeStore(
  dir: string,
  { programs, settings = [] }: StoreOptions = {},
): Promise<NixStore> {
  const conf = join(dir, 'conf');
  await mkdir(conf, { recursive: true });
  const lines = ['sandbox = false', 'build-users-group =', 'substituters =', ...settings, ''];
  await writeFile(join(conf, 'nix.conf'), lines.join('\n'));
  const path = process.env['PATH'] ?? '/usr/bin:/bin';
  const env = {
    PATH: programs === undefined ? path : `${programs}${delimiter}${path}`,
    NIX_STORE_DIR: join(dir, 'store'),
    NIX_STATE_DIR: join(dir, 'var'),
    NIX_LOG_DIR: join(dir, 'log'),
    NIX_CONF_DIR: conf,
  };
  const nix: NixStore['nix'] = (program, ...args) =>
    must(program, args, { env: { ...env, HOME: dir }, cwd: dir });
  return {
    ...{ dir, env, nix },
    async build(source, name) {
      const features = ['--extra-experimental-features', 'nix-command flakes'];
      const installable = `${source}#nixosConfigurations.${name}.config.system.build.toplevel`;
      const built = JSON.parse(
        await nix('nix', ...features, 'build', '--no-link', '--json', installable),
      ) as {
        outputs: { out: string };
      }[];
      return built[0]?.outputs.out ?? '';
    },
  };
}

/** A NixOS host of a test's fleet, with a store of its own. */
export interface NixosHost extends FleetHost {
  readonly store: NixStore;
  /** What its system profile leads to; `null` when there is none. */
  profile(): string | null;
  /** What `/run/current-system` leads to. */
  current(): string | null;
}

export interface NixosFleet extends Fleet {
  readonly host: NixosHost;
}

/** A fleet of one NixOS host, web1, approved; nothing is deployed yet. */
export async function makeNixosFleet(name = 'autark-nixos', options: StoreOptions = {}): Promise<NixosFleet> {
  const fleet = await makeFleet(name);
  try {
    const store = await makeStore(join(fleet.world.dir, 'nix'), options);
    const host = await fleet.join('web1', ['--system', 'nixos']);
    return { ...fleet, host: nixosHost(host, store) };
  } catch (error) {
    await fleet.world.remove();
    throw error;
  }
}

/** The same host, whose agent uses this store. */
export function nixosHost(host: FleetHost, store: NixStore): NixosHost {
  const target = (...parts: string[]): string | null => {
    const path = host.path(...parts);
    return existsSync(path) ? realpathSync(path) : null;
  };
  return {
    ...host,
    store,
    agent: ({ env = {}, ...others } = {}) => host.agent({ ...others, env: { ...store.env, ...env } }),
    autark: (args, { env = {}, ...others } = {}) =>
      host.autark(args, { ...others, env: { ...store.env, ...env } }),
    profile: () => target('nix/var/nix/profiles/system'),
    current: () => target('run/current-system'),
  };
}

/** What a small NixOS system is made from. */
export interface SmallSystem {
  /** Shows in `etc/motd` once it is activated. */
  readonly motd: string;
  /** Shell lines of its build, before the system is made. */
  readonly build?: string;
  /** Shell lines of its activation, before it does anything. */
  readonly activation?: string;
  /** JSON of `switch-inhibitors`. */
  readonly inhibitors?: Readonly<Record<string, string>>;
  /** Without the agent's own unit. */
  readonly orphan?: boolean;
  /** Names no revision, so that it stays the same system when something else changes. */
  readonly fixed?: boolean;
  /** Without a program that activates it. */
  readonly inert?: boolean;
}

/** The files of a flake with one small system a host, as `nixosConfigurations.<host>` of a real one would be. */
export function nixosFiles(
  systems: Readonly<Record<string, SmallSystem>>,
  inputs = '',
): Record<string, string> {
  return { 'flake.nix': flake(systems, inputs), 'system.nix': systemNix };
}

/** @param inputs Nix, such as `inputs.lib.url = "…";` */
export function flake(systems: Readonly<Record<string, SmallSystem>>, inputs = ''): string {
  const hosts = Object.entries(systems).map(
    ([name, system]) => `      "${name}" = system ${nixOf({ name, ...system })};`,
  );
  return `{
  ${inputs}
  outputs = { self, ... }@inputs: let system = import ./system.nix self; in {
    nixosConfigurations = {
${hosts.join('\n')}
    };
  };
}
`;
}

/** JSON is Nix, but for separators and dollars. */
function nixOf(value: Readonly<Record<string, unknown>>): string {
  return `(builtins.fromJSON ${JSON.stringify(JSON.stringify(value)).replaceAll('${', '\\${')})`;
}

/**
 * What nixpkgs makes of a configuration, as small as it can be: a toplevel with `bin/switch-to-configuration`, units,
 * `nixos-version` and `switch-inhibitors`. Its activation does what NixOS' does to `/run/current-system`; and where there
 * is a `/boot`, to what the machine boots next: what the profile has at that moment, whichever system asks.
 */
const systemNix = `self:
{ name, motd, build ? "", activation ? "", inhibitors ? null, orphan ? false, inert ? false, fixed ? false }:
{
  config.system.build.toplevel = derivation {
    name = "nixos-system-\${name}";
    system = builtins.currentSystem or "x86_64-linux";
    builder = "/bin/sh";
    PATH = "/usr/bin:/bin";
    inherit motd activation;
    version = if fixed then "fixed" else "\${self.rev} \${toString self.revCount} \${toString self.lastModified}";
    inhibitors = if inhibitors == null then "" else builtins.toJSON inhibitors;
    args = [ "-euc" ''
      \${build}
      mkdir -p $out/bin $out/etc/systemd/system
      echo "$motd" >$out/etc/motd
      echo "$version" >$out/nixos-version
      test -z "$inhibitors" || echo "$inhibitors" >$out/switch-inhibitors
      \${if orphan then "" else "echo '[Service]' >$out/etc/systemd/system/autark.service"}
      \${if inert then "exit 0" else ""}
      cat >$out/bin/switch-to-configuration <<END
      #!/bin/sh
      set -eu
      \${activation}
      if [ "\\$1" != boot ]; then
        mkdir -p "\\$AUTARK_ROOT/etc" "\\$AUTARK_ROOT/run"
        cp $out/etc/motd "\\$AUTARK_ROOT/etc/motd.new"
        mv "\\$AUTARK_ROOT/etc/motd.new" "\\$AUTARK_ROOT/etc/motd"
        ln -sfn $out "\\$AUTARK_ROOT/run/current-system"
      fi
      if [ "\\$1" = boot -o "\\$1" = switch ] && [ -d "\\$AUTARK_ROOT/boot" ]; then
        readlink -f "\\$AUTARK_ROOT/nix/var/nix/profiles/system" >"\\$AUTARK_ROOT/boot/entry.new"
        mv "\\$AUTARK_ROOT/boot/entry.new" "\\$AUTARK_ROOT/boot/entry"
      fi
      echo "\\$1 $motd" >>"\\$AUTARK_ROOT/activations"
      END
      chmod +x $out/bin/switch-to-configuration
    '' ];
  };
}
`;

/** Nix's programs, each noted before it runs: what was started, and with which arguments. */
export interface RecordedNix {
  /** The folder for the front of PATH. */
  readonly programs: string;
  /** Every call so far, oldest first, the program's name first. */
  calls(): readonly (readonly string[])[];
  forget(): void;
}

/** @param searchPath where the real ones are */
export async function recordNix(dir: string, searchPath = process.env['PATH'] ?? ''): Promise<RecordedNix> {
  const programs = join(dir, 'recorded-nix');
  const log = join(dir, 'nix-calls');
  await mkdir(programs, { recursive: true });
  for (const name of ['nix', 'nix-env', 'nix-store']) {
    const real = searchPath.split(delimiter).map((folder) => join(folder, name));
    const found = real.find((path) => existsSync(path)) ?? name;
    // One write for a call, so that calls at the same time stay apart; arguments hold no tab and no line end.
    const note = `printf '%s\\t' ${name} "$@" | sed 's/\\t$/\\n/' >>${log}`;
    await writeFile(join(programs, name), `#!/bin/sh\n${note}\nexec ${found} "$@"\n`, { mode: 0o755 });
  }
  return {
    programs,
    calls: () =>
      (textOf(log) ?? '')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('\t')),
    forget: () => {
      rmSync(log, { force: true });
    },
  };
}

/** A file of the host's, as text; `null` when there is none. */
export function textOf(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}
