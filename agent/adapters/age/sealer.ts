import type { Recipient } from 'age-encryption';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import { oneLine } from '../../../shared/printable.ts';
import { fromBech32 } from '../../../shared/secrets/bech32.ts';
import { parsePublicKey } from '../../../shared/trust/ssh-key.ts';
import type { Sealer } from '../../secret-ports.ts';
import { sshRecipient } from './ssh-recipient.ts';
import { x25519Recipient } from './x25519.ts';

type Known = Map<string, Result<Recipient | string>>;

/**
 * Sealing by age. Classic and post-quantum recipients may stand in one file, which is then as strong as the classic
 * ones: hosts have SSH keys, and a reader's own key cannot change that.
 */
export function ageSealer(): Sealer {
  // A fleet's keys are few and its secrets many: each key is looked at once.
  const known: Known = new Map();
  return { seal: (value, recipients) => seal(value, recipients, known) };
}

async function seal(value: Uint8Array, recipients: readonly string[], known: Known): Promise<Result<string>> {
  if (recipients.length === 0) return fail(forNobody);
  // Asked for when it is needed: it takes longer to load than most commands take altogether.
  const { Encrypter, armor } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const line of new Set(recipients)) {
    const recipient = known.get(line) ?? parseRecipient(line);
    known.set(line, recipient);
    if (!recipient.ok) return recipient;
    try {
      encrypter.addRecipient(recipient.value);
    } catch {
      return fail(unusable(line, 'it is damaged: its checksum or its length is wrong', copyAgain));
    }
  }
  return ok(armor.encode(await encrypter.encrypt(value)));
}

function parseRecipient(line: string): Result<Recipient | string> {
  if (line.startsWith('ssh-ed25519 ')) return parseSsh(line);
  if (/^age1pq1[^1]+$/.test(line)) return ok(line);
  if (!/^age1[^1]+$/.test(line)) return fail(unknownType(line));
  const decoded = fromBech32(line);
  const isWhole = decoded?.prefix === 'age' && decoded.bytes.length === 32;
  const recipient = isWhole ? x25519Recipient(decoded.bytes) : undefined;
  return recipient === undefined
    ? fail(unusable(line, 'it is damaged: its checksum or its length is wrong', copyAgain))
    : ok(recipient);
}

function parseSsh(line: string): Result<Recipient> {
  const key = parsePublicKey(line);
  if (!key.ok) return fail(unusable(line, oneLine(key.failure), copyAgain));
  const recipient = sshRecipient(key.value);
  return recipient === undefined
    ? fail(unusable(line, 'it is damaged: nobody can have the private half of it', copyAgain))
    : ok(recipient);
}

const copyAgain = 'copy the public key once more from its .pub file, or from what age-keygen printed';

const forNobody: Failure = {
  kind: 'invalid',
  cause: 'there is nobody to seal to',
  remedy: 'name the hosts or groups of the secret, or readers, in fleet.yaml',
};

const otherTypes: readonly { begin: RegExp; cause: string; remedy: string }[] = [
  {
    begin: /^(sk-|ecdsa-sk)/,
    cause: 'a key in a hardware token signs, but opens nothing',
    remedy: 'name an ssh-ed25519 or age1… key of the same person besides it',
  },
  {
    begin: /^(ssh-|ecdsa-|rsa-)/,
    cause: 'of SSH keys only those of type ssh-ed25519 can be sealed to',
    remedy: 'use one of that type (ssh-keygen -t ed25519)',
  },
  {
    begin: /^age1/,
    cause: 'it needs a plugin of age or a hardware token, which hosts and this program do not have',
    remedy: 'use age1… without a second 1 (age-keygen), age1pq1…, or ssh-ed25519',
  },
];

function unknownType(line: string): Failure {
  // Whoever mistook one for the other does not want it in a log.
  if (/SECRET|PRIVATE/i.test(line)) {
    const remedy = 'put the public one there, and make a new key if others may have seen this one';
    return { kind: 'invalid', cause: 'a private key stands where a public one is needed', remedy };
  }
  const type = otherTypes.find(({ begin }) => begin.test(line));
  return unusable(
    line,
    type?.cause ?? 'it is no key that is known here',
    type?.remedy ?? 'write ssh-ed25519 BASE64, age1… or age1pq1…',
  );
}

function unusable(line: string, cause: string, remedy: string): Failure {
  const where = oneLine(line);
  const shown = where.length > 60 ? `${where.slice(0, 59)}…` : where;
  return { kind: 'invalid', cause: `nothing can be sealed to this key: ${cause}`, where: shown, remedy };
}
