import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/** The folders of a control group: in the hierarchies that systemd uses, one, or with version 1 as well, two (cgroups(7)). */
export function cgroupsOf(name: string): readonly string[] {
  const beside = ['systemd', 'unified'].map((each) => `/sys/fs/cgroup/${each}`).filter(existsSync);
  return (beside.length > 0 ? beside : ['/sys/fs/cgroup']).map((each) => join(each, name));
}

/** With those below it; no process may be left in them. */
export function removeCgroup(cgroup: string): void {
  if (!existsSync(cgroup)) return;
  for (const entry of readdirSync(cgroup, { withFileTypes: true }))
    if (entry.isDirectory()) removeCgroup(join(cgroup, entry.name));
  rmdirSync(cgroup);
}
