import * as v from 'valibot';
import { fail, ok, type Result } from '../failure.ts';
import { parseJson } from '../json.ts';
import { oneLine } from '../printable.ts';

/** A block device as lsblk(8) shows it, with what the kernel made of it below. */
export interface BlockDevice {
  /** The kernel's name, such as `sda1` or `dm-0`; also that of its node in `/dev`. */
  readonly name: string;
  /** As people know it: for the device mapper's, the name below `/dev/mapper`. */
  readonly shown: string;
  /** `disk`, `part`, `lvm`, `crypt`, `raid1`, … */
  readonly type: string;
  /** Bytes. */
  readonly size: number;
  /** `MAJOR:MINOR`. */
  readonly number: string;
  /** Bytes of a sector, as partition tables count them. */
  readonly sector: number;
  readonly model: string | null;
  readonly serial: string | null;
  /** Partitions, and what was made of it or of them. */
  readonly children: readonly BlockDevice[];
}

/** Columns that lsblk has had since long before its JSON. */
export const lsblkArguments: readonly string[] = [
  ...['--json', '--bytes', '--output'],
  'NAME,KNAME,TYPE,SIZE,MAJ:MIN,LOG-SEC,MODEL,SERIAL',
];

/** Before 2.33 lsblk wrote numbers as strings. */
const bytes = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))]),
  v.integer(),
  v.minValue(0),
);
const words = v.pipe(
  v.nullish(v.string(), null),
  v.transform((text) => (text === null ? null : oneLine(text) || null)),
);

interface Shown {
  readonly name: string;
  readonly kname: string;
  readonly type: string;
  readonly size: number;
  readonly 'maj:min': string;
  readonly 'log-sec': number;
  readonly model: string | null;
  readonly serial: string | null;
  readonly children: Shown[];
}

/** It becomes a path below `/dev`, and there may be a folder between, as in `cciss/c0d0`. */
const kernelName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_:-]*([./!][A-Za-z0-9_:-]+)*$/));

const shown: v.GenericSchema<unknown, Shown> = v.object({
  name: v.pipe(v.string(), v.transform(oneLine)),
  kname: kernelName,
  type: v.pipe(v.string(), v.transform(oneLine)),
  size: bytes,
  'maj:min': v.pipe(v.string(), v.trim(), v.regex(/^\d+:\d+$/)),
  'log-sec': v.pipe(bytes, v.minValue(1)),
  model: words,
  serial: words,
  children: v.optional(v.array(v.lazy(() => shown)), []),
});

const listing = v.object({ blockdevices: v.array(shown) });

/** What `lsblk` printed. The failure is a sentence; what is not understood is never taken for "no disks". */
export function parseLsblk(text: string): Result<readonly BlockDevice[], string> {
  const parsed = v.safeParse(listing, parseJson(text));
  if (parsed.success) return ok(parsed.output.blockdevices.map(deviceOf));
  const [issue] = parsed.issues;
  return fail(`lsblk printed what is not understood (${v.getDotPath(issue) ?? 'no JSON'}: ${issue.message})`);
}

function deviceOf(said: Shown): BlockDevice {
  return {
    name: said.kname,
    shown: said.name,
    type: said.type,
    size: said.size,
    number: said['maj:min'],
    sector: said['log-sec'],
    model: said.model,
    serial: said.serial,
    children: said.children.map(deviceOf),
  };
}

/** Of type `disk` for lsblk, but in memory, or a drive for floppies. Loop, optical and mapped devices have types of their own. */
const notWhole = /^(ram|zram|fd)\d/;

/** Whole disks with something in them: a card reader without a card shows a disk of size 0. */
export function wholeDisks(devices: readonly BlockDevice[]): readonly BlockDevice[] {
  return devices
    .filter(({ type, size, name }) => type === 'disk' && size > 0 && !notWhole.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** A device and everything that was made of it, itself first. */
export function withDescendants(device: BlockDevice): readonly BlockDevice[] {
  return [device, ...device.children.flatMap(withDescendants)];
}
