import { parseJson } from '../json.ts';
import { fieldsOf } from './backup-devices.ts';

/**
 * What may be told of an encrypted volume: how it is made, and which key slots there are. Everything is left out but what
 * is named here, so that nothing that a passphrase could be tried on gets in: no salt, no digest, no key, no token's content.
 */
export interface LuksVolume {
  readonly device: string;
  readonly uuid: string | null;
  readonly version: 1 | 2;
  readonly facts: Facts;
}

type Facts = Readonly<Record<string, unknown>>;

const areaFacts = ['encryption'];
const kdfFacts = ['type'];
const segmentFacts = ['type', 'offset', 'size', 'encryption', 'sector_size'];

/** From `cryptsetup luksDump --dump-json-metadata`; `null` if that cannot be understood. */
export function luks2Facts(printed: string): Facts | null {
  const all = fieldsOf(parseJson(printed));
  const [slots, segments, tokens] = ['keyslots', 'segments', 'tokens'].map((key) => fieldsOf(all?.[key]));
  if (slots == null || segments == null) return null;
  return {
    segments: mapped(segments, (segment) => picked(segment, segmentFacts)),
    keyslots: mapped(slots, (slot) => ({
      ...picked(slot, ['type', 'key_size', 'priority']),
      area: picked(slot['area'], areaFacts),
      kdf: picked(slot['kdf'], kdfFacts),
    })),
    tokens: mapped(tokens ?? {}, (token) => picked(token, ['type', 'keyslots'])),
  };
}

const luks1Lines = /^(Cipher name|Cipher mode|Hash spec|Payload offset|MK bits|Key Slot \d+):\s*(\S+)\s*$/;

/** From what `cryptsetup luksDump` prints of a volume in the older format; `null` if that cannot be understood. */
export function luks1Facts(printed: string): Facts | null {
  const pairs = printed.split('\n').flatMap((line) => {
    const [, key, value] = luks1Lines.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key.toLowerCase(), value] as const];
  });
  const facts = Object.fromEntries(pairs);
  return 'cipher name' in facts ? facts : null;
}

/** All of them as JSON, by device; empty when there is none. */
export function luksFile(volumes: readonly LuksVolume[]): string {
  if (volumes.length === 0) return '';
  const sorted = volumes
    .map(({ device, uuid, version, facts }) => JSON.stringify({ device, uuid, version, ...facts }, null, 2))
    .sort();
  return `[\n${[...new Set(sorted)].join(',\n')}\n]\n`;
}

function mapped(from: Facts, change: (fields: Facts) => Facts): Facts {
  return Object.fromEntries(
    Object.entries(from).map(([key, value]) => [key, change(fieldsOf(value) ?? {})] as const),
  );
}

/** Plain values alone: what is made of parts would have to be named part by part. */
function picked(from: unknown, keys: readonly string[]): Facts {
  const fields = fieldsOf(from) ?? {};
  return Object.fromEntries(
    keys.flatMap((key) => (isPlain(fields[key]) ? [[key, fields[key]] as const] : [])),
  );
}

function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((each) => typeof each === 'string');
  return typeof value === 'string' || typeof value === 'number';
}
