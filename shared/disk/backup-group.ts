/**
 * What `vgcfgbackup` wrote, without what is another one each time: when, where and by which command. All of that stands
 * outside of the group's own section. `seqno` stays, for it counts changes, and so does what a volume says of its own making.
 * Where a physical volume was found is a hint to people alone, and gets names that stay.
 * @param stable what the device with a physical volume is called, by the volume's UUID
 */
export function neutralGroup(text: string, stable: ReadonlyMap<string, string>): string {
  const kept: string[] = [];
  let uuid = '';
  for (const line of text.split('\n')) {
    if (/^(#|(description|creation_host|creation_time) =)/.test(line)) continue;
    uuid = /^\s+id = "([^"]*)"/.exec(line)?.[1] ?? uuid;
    const hint = /^(\s+)device = "/.exec(line);
    if (hint !== null) {
      const name = stable.get(uuid);
      if (name !== undefined) kept.push(`${hint[1] ?? ''}device = "${name}"\t# Hint only`);
      continue;
    }
    // So is an id that is nothing but the kernel's name (lvmdevices(8), devname).
    if (/^\s+device_id = "\/dev\//.test(line)) continue;
    if (line !== '' || kept.at(-1) !== '') kept.push(line);
  }
  return `${kept.join('\n').trim()}\n`;
}

/** Whether this is the metadata of a volume group, and all of it. */
export function isWholeGroup(text: string): boolean {
  return /^contents = "Text Format Volume Group"$/m.test(text) && /\n}\s*$/.test(text);
}

/** One physical volume, as `lvm pvs` lists it. */
export interface PhysicalVolume {
  readonly uuid: string;
  /** `null` while it is in none. */
  readonly group: string | null;
}

/** How `lvm pvs` is asked, after its options: these columns and this separator, which no name can have in it. */
export const volumeColumns = ['--noheadings', '--separator', ',', '--options', 'pv_uuid,vg_name'] as const;

/** lvm(8): what a volume group's name may be made of. */
const groupName = /^[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$/;

export function readVolumes(listed: string): readonly PhysicalVolume[] {
  return listed.split('\n').flatMap((line) => {
    const [uuid = '', group = ''] = line.split(',').map((each) => each.trim());
    return uuid === '' ? [] : [{ uuid, group: groupName.test(group) ? group : null }];
  });
}
