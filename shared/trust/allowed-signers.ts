import { parsePublicKey } from './public-key.ts';

/**
 * `allowed_signers`: who may sign revisions (S1). The grammar is frozen, since every host of a fleet must
 * come to the same verdict on the same commit:
 *
 *     NAME[,NAME…] [namespaces="git"] TYPE KEY [comment]
 *
 * with single spaces, TYPE `ssh-ed25519` or `sk-ssh-ed25519@openssh.com`, KEY in canonical base64 and no
 * control characters anywhere (so neither tabs nor carriage returns). What grants here grants to ssh-keygen
 * too (ssh-keygen(1), ALLOWED SIGNERS); the reverse does not hold: no patterns, no quoted names, no other
 * options, no certificates, no dates. Empty lines and comments are skipped; any other line grants nothing.
 */
export interface Admin {
  readonly names: readonly string[];
  /** `TYPE BASE64`. */
  readonly key: string;
  /** Counts from 1. */
  readonly line: number;
}

/** A line that grants nothing although somebody meant something by it. */
export interface Complaint {
  readonly line: number;
  readonly reason: string;
}

export interface AllowedSigners {
  readonly admins: readonly Admin[];
  readonly complaints: readonly Complaint[];
}

const name = '[A-Za-z0-9][A-Za-z0-9._%+@-]*';
const grammar = new RegExp(
  `^(${name}(?:,${name})*) (?:namespaces="git" )?((?:ssh-ed25519|sk-ssh-ed25519@openssh\\.com) [A-Za-z0-9+/=]+)(?: \\P{Cc}*)?$`,
  'u',
);

export function parseAllowedSigners(text: string): AllowedSigners {
  const admins: Admin[] = [];
  const complaints: Complaint[] = [];
  for (const [index, content] of text.split('\n').entries()) {
    if (/^[ \t\r]*(#|$)/.test(content)) continue;
    const line = index + 1;
    const [, names, key] = grammar.exec(content) ?? [];
    const parsed = key === undefined ? undefined : parsePublicKey(key);
    if (names !== undefined && parsed?.ok === true) {
      admins.push({ names: names.split(','), key: parsed.value.line, line });
    } else {
      complaints.push({ line, reason: parsed?.ok === false ? parsed.failure : whyNot(content) });
    }
  }
  return { admins, complaints };
}

/** The likeliest slip, so that it can be mended. */
function whyNot(content: string): string {
  const slips: readonly [RegExp, string][] = [
    [/\r$/, 'it ends in a carriage return; save the file with Unix line ends'],
    [/\p{Cc}/u, 'it has a tab or another control character in it; separate with single spaces'],
    [/cert-authority/i, 'certificate authorities grant nothing; name each person’s own key'],
    [/valid-(after|before)/i, 'keys have no dates here; remove the line when its key shall no longer sign'],
    [/namespaces=(?!"git" )/i, 'the only namespaces that may be named are namespaces="git"'],
    [/^[^ ]*["*?!]/, 'names are written out, without quotes or patterns'],
    [/^ | $| {2}/, 'its parts are separated by more than one space, or it begins or ends with one'],
    [
      / (ssh-(?!ed25519 )|ecdsa-|sk-ecdsa|rsa)/,
      'only ssh-ed25519 and sk-ssh-ed25519@openssh.com keys may sign',
    ],
  ];
  const slip = slips.find(([pattern]) => pattern.test(content));
  return slip?.[1] ?? 'it is not of the form NAME[,NAME…] [namespaces="git"] TYPE KEY [comment]';
}

/**
 * A line that grants, without a line end.
 * @param key `TYPE BASE64`
 * @throws RangeError when the line would grant nothing
 */
export function formatAllowedSigner(owner: string, key: string): string {
  const line = `${owner} namespaces="git" ${key}`;
  const { admins } = parseAllowedSigners(line);
  if (admins.length !== 1 || admins[0]?.key !== key)
    throw new RangeError(`“${owner}” and this key make no admin`);
  return line;
}
