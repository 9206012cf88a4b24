import { stringify } from 'yaml';

/** What `init` knows. */
export interface NewFleet {
  /** Random: 32 hexadecimal digits. */
  readonly fleet: string;
  /** Public keys, as `ssh-ed25519 BASE64 [comment]` or `age1…`. */
  readonly readers: readonly string[];
}

/** The `fleet.yaml` of a new fleet: valid, without hosts, and with comments for the person who goes on. */
export function newFleetYaml({ fleet, readers }: NewFleet): string {
  const line = (value: Readonly<Record<string, unknown>>) => stringify(value, { lineWidth: 0 });
  return `# The machines of this fleet. Each of them follows the signed commits of this branch, and nothing else.
${line({ version: 1, fleet })}
# Who can open every secret and ledger: people, and a recovery key that is kept on paper.
${line({ readers })}
# What holds for every host. A group's value wins over it, and a host's own value over both.
defaults:
  interval: 60s

# Names for what hosts have in common, such as
#   web: { activate: boot }
groups:

# \`autark approve NAME\` adds a machine that waits. Without a system it is known and deploys nothing:
#   system: { kind: nixos, attr: web1 }
#   system: { kind: exec, build: hosts/web1/build }
hosts:
`;
}
