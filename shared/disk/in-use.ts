import * as v from 'valibot';
import { fail, ok, type Result } from '../failure.ts';
import { parseJson } from '../json.ts';
import { oneLine } from '../printable.ts';

/** One line of `/proc/PID/mountinfo`. */
export interface Mount {
  /** `MAJOR:MINOR` of the file system: of its device, or for btrfs and others one that no device has. */
  readonly number: string;
  /** Which part of the file system is there: `/`, a subvolume, or what a bind mount shows. */
  readonly root: string;
  readonly at: string;
  /** What was mounted, such as `/dev/sda1`; free text for file systems without a device. */
  readonly source: string;
}

/** proc_pid_mountinfo(5): fields, any number of optional ones, a dash, then type, source and options. */
export function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ');
    const dash = fields.indexOf('-', 6);
    const [, , number, root, at] = fields;
    const source = dash < 0 ? undefined : fields[dash + 2];
    if (number === undefined || root === undefined || at === undefined || source === undefined) return [];
    return [{ number, root: unescaped(root), at: unescaped(at), source: unescaped(source) }];
  });
}

/** `/proc/swaps`: a heading, then one line each that begins with the device or file. */
export function parseSwaps(text: string): readonly string[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => unescaped(line.split(/\s/)[0] ?? ''))
    .filter((path) => path !== '');
}

/** The kernel writes blanks and backslashes in such paths as three octal digits. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** A device, by its kernel name or path, and what it belongs to. */
export interface Membership {
  readonly device: string;
  readonly of: string;
}

/** `/proc/mdstat` (md(4)): lines `md0 : active raid1 sdb1[1](F) sda1[0]`. */
export function parseMdstat(text: string): readonly Membership[] {
  return text.split('\n').flatMap((line) => {
    const [, array, rest] = /^(md\S*) : (.*)$/.exec(line) ?? [];
    if (array === undefined || rest === undefined) return [];
    return [...rest.matchAll(/(\S+?)\[\d+\]/g)].map(([, device = '']) => ({ device, of: array }));
  });
}

const report = v.object({
  report: v.array(v.object({ pv: v.array(v.object({ pv_name: v.string(), vg_name: v.string() })) })),
});

/** `pvs --reportformat json -o pv_name,vg_name`: physical volumes that belong to a volume group. */
export function parsePvs(text: string): Result<readonly Membership[], string> {
  const parsed = v.safeParse(report, parseJson(text));
  if (!parsed.success) return fail('pvs printed what is not understood');
  return ok(
    parsed.output.report
      .flatMap(({ pv }) => pv)
      .filter(({ vg_name }) => vg_name !== '')
      .map(({ pv_name, vg_name }) => ({ device: pv_name, of: oneLine(vg_name) })),
  );
}

/** `zpool status -P` (zpool-status(8)): paths in the part after `config:` of each `pool:`. */
export function parseZpool(text: string): readonly Membership[] {
  const found: Membership[] = [];
  let pool = '';
  for (const line of text.split('\n')) {
    pool = /^\s*pool: (.+)$/.exec(line)?.[1] ?? pool;
    const device = /^\s+(\/\S+)/.exec(line)?.[1];
    if (device !== undefined && pool !== '') found.push({ device, of: oneLine(pool) });
  }
  return found;
}
