/**
 * The values of `fleet.yaml` and `agent.yaml`: each a piece of text or a number in one strict form. What can be
 * said as a pattern is one, so that the JSON Schema says it too; what follows a transformation is not in it.
 */
import * as v from 'valibot';
import { durationPattern, parseDuration, parseTime, timePattern } from './duration.ts';
import { namePattern } from './name.ts';
import { canOwn } from '../secrets/owner.ts';
import { isWholeRecipient, kindOfRecipient } from '../secrets/recipient.ts';
import { rules, type RuleName } from './rules.ts';

/** Node's timers hold no more: 2^31 - 1 milliseconds, rounded down to days. */
const longestWait = 24 * 86_400_000;

/** Below the root of a tree: relative, normalised, and never to be taken for an option. */
const treePath =
  /^(?!-)(?!\.{1,2}(?:\/|$))[^/\u0000-\u001f\u007f]+(?:\/(?!\.{1,2}(?:\/|$))[^/\u0000-\u001f\u007f]+)*$/;
const absolutePath = /^(?:\/(?!\.{1,2}(?:\/|$))[^/\u0000-\u001f\u007f]+)+$/;

/**
 * RFC 8709 and RFC 4253, section 6.6: the blob is the name `ssh-ed25519` and 32 bytes, each with its length
 * before it, 51 bytes together: 68 digits of base64 without padding, of which the first 25 are always the same.
 */
const sshKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-P][A-Za-z0-9+/]{42}(?: [^\\u0000-\\u001f\\u007f]*)?';
/** age's recipients in Bech32 (https://age-encryption.org/v1): X25519, and the hybrid post-quantum ones. */
const ageRecipient = 'age1(?:pq1)?[02-9ac-hj-np-z]{58,4000}';

export const name = text('name', namePattern);
export const line = text('text', /^[^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f][^\u0000-\u001f\u007f]*$/);
export const fleetId = text('fleet', /^[0-9a-f]{32,64}$/);
export const commitId = text('hash', /^[0-9a-f]{40}$/);
export const hostKey = text('key', new RegExp(`^${sshKey}$`));
/** A key that nothing can be sealed to would cost every host its ledger: each is told apart, and by its own rule. */
export const reader = v.pipe(
  v.string('reader'),
  v.check((written) => kindOfRecipient(written) !== 'private', 'readerPrivate'),
  v.check((written) => kindOfRecipient(written) !== 'hardware', 'readerHardware'),
  v.check((written) => kindOfRecipient(written) !== 'other-ssh', 'readerOtherSsh'),
  v.check((written) => kindOfRecipient(written) !== 'plugin', 'readerPlugin'),
  v.regex(new RegExp(`^(?:${sshKey}|${ageRecipient})$`), 'reader'),
  v.check(isWholeRecipient, 'readerDamaged'),
  v.description(rules.reader.expected),
);
export const pathInTree = text('path', treePath);
export const folderInTree = text('directory', new RegExp(`^\\.$|${treePath.source}`));
export const pathOnHost = text('hostPath', absolutePath);
/** A Nix identifier, save that it may begin with a digit, as hosts' names may: it is always quoted for Nix. */
export const nixAttribute = text('attr', /^[A-Za-z0-9_][A-Za-z0-9_'-]{0,127}$/);
export const httpAddress = text('http', /^https?:\/\/[^\s/?#\u0000-\u001f\u007f][^\s\u0000-\u001f\u007f]*$/);
/** A name, an IPv4 address or a bracketed IPv6 address, and a port from 1 to 65535. */
export const tcpAddress = text(
  'tcp',
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\]):(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$/,
);
/** systemd.unit(5): these characters, a suffix that names the kind; 255 characters together. A template is no unit. */
export const unitName = text(
  'unit',
  /^(?!-)(?!.*@\.[a-z]+$)[A-Za-z0-9:_.\\@-]{1,243}\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/,
);
export const device = text('device', /^\/dev(?:\/(?!\.{1,2}(?:\/|$))[^/\s\u0000-\u001f\u007f]+)+$/);
export const credential = text('credential', /^[A-Za-z_][A-Za-z0-9_]*$/);
/** Names as useradd(8) makes them, and those with capitals and dots that directories hand out; or a number. */
export const ownerName = v.pipe(
  v.string('owner'),
  v.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/, 'owner'),
  v.check((written) => !/^\d+$/.test(written) || canOwn(Number(written)), 'owner'),
  v.description(rules.owner.expected),
);
export const fileMode = text('mode', /^0[0-7]{3}$/);
/** A number too, since 1.4 looks like one: it is read as written. */
export const release = v.union(
  [text('release', /^[0-9]{1,6}(?:\.[0-9]{1,6}){0,2}$/), v.number('release')],
  'release',
);

/** Milliseconds. */
export const duration = v.pipe(
  text('duration', durationPattern),
  v.transform((written) => parseDuration(written) ?? Number.NaN),
  v.number('duration'),
);

/** Milliseconds, few enough for a timer. */
export const wait = v.pipe(
  text('wait', durationPattern),
  v.transform((written) => parseDuration(written) ?? Number.NaN),
  v.number('wait'),
  v.maxValue(longestWait, 'wait'),
);

/** Milliseconds; `null` for `never`. */
export const heartbeat = v.pipe(
  text('heartbeat', new RegExp(`^never$|${durationPattern.source}`)),
  v.transform((written) => (written === 'never' ? null : (parseDuration(written) ?? Number.NaN))),
  v.nullable(v.number('heartbeat')),
);

/** Milliseconds since the epoch. */
export const time = v.pipe(
  text('time', timePattern),
  v.transform((written) => parseTime(written) ?? Number.NaN),
  v.number('time'),
);

/** Text in one form, described for editors by its rule. */
export function text(rule: RuleName, pattern: RegExp) {
  return v.pipe(v.string(rule), v.regex(pattern, rule), v.description(rules[rule].expected));
}

/** A whole number from 0. */
export function count(rule: RuleName, most: number) {
  return v.pipe(v.number(rule), v.integer(rule), v.minValue(0, rule), v.maxValue(most, rule));
}
