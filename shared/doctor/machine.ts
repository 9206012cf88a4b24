import { notWell, trouble, unknown, well, type Checked } from './checked.ts';

/** What machine-id(5) may say: 32 hex digits; nothing, or `uninitialized` while a first boot goes on. */
export function checkMachineId(text: string | null, where: string): readonly Checked[] {
  const id = text?.trim();
  if (id !== undefined && /^[0-9a-f]{32}$/.test(id)) return [well('machine-id', `${where} is there`)];
  const what = id === undefined ? 'is missing' : id === '' ? 'is empty' : 'is not 32 hex digits';
  const cause = `the machine id ${what}: this machine seems to be another one after each reboot`;
  const remedy = 'run `systemd-machine-id-setup --commit`, and let that file outlive reboots';
  return [notWell('machine-id', trouble(cause, where, remedy))];
}

export interface NixFacts {
  /** Whether this host's system is a NixOS system; `null` when fleet.yaml is not known here. */
  readonly isNeeded: boolean | null;
  /** What `nix --version` printed; `null` when there is no nix. */
  readonly version: string | null;
  /** Why it gave no answer, when there is one to give it. */
  readonly problem: string | null;
}

/** The oldest Nix that does what the agent asks of it. */
const oldest = [2, 8] as const;

export function checkNix({ isNeeded, version, problem }: NixFacts): readonly Checked[] {
  if (problem !== null) return [unknown('nix', `nix does not answer: ${problem}`)];
  if (version === null) return withoutNix(isNeeded);
  const [major, minor] = numbersOf(version) ?? [];
  if (major === undefined || minor === undefined)
    return [unknown('nix', `“${version}” names no version of Nix`)];
  const isOld = major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
  if (!isOld) return [well('nix', version)];
  const cause = `${version} is too old: this needs ${oldest.join('.')} or newer`;
  return [
    notWell('nix', { kind: 'build-failed', cause, where: 'nix --version', remedy: 'install a newer Nix' }),
  ];
}

function withoutNix(isNeeded: boolean | null): readonly Checked[] {
  if (isNeeded !== true) return [well('nix', 'there is none, and this host needs none')];
  const cause = 'there is no nix where the agent looks for it, and this host is a NixOS system';
  const remedy = 'install Nix, or put it into the PATH of the agent';
  return [notWell('nix', { kind: 'build-failed', cause, where: 'PATH', remedy })];
}

/** The version is the last word: `nix (Nix) 2.18.1`, `nix (Lix, like Nix) 2.91.0`, `nix (Determinate Nix 3.0) 2.26.2`. */
function numbersOf(version: string): readonly [number, number] | null {
  const found = /(?:^|\s)(\d+)\.(\d+)\S*$/.exec(version.trim());
  return found === null ? null : [Number(found[1]), Number(found[2])];
}
