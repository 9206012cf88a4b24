import type { Recipient } from 'age-encryption';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import { oneLine } from '../../../shared/printable.ts';
import { rules } from '../../../shared/fleet/rules.ts';
import { isWholeRecipient, kindOfRecipient, x25519Point } from '../../../shared/secrets/recipient.ts';
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
      return fail(damaged(line));
    }
  }
  return ok(armor.encode(await encrypter.encrypt(value)));
}

function parseRecipient(line: string): Result<Recipient | string> {
  const kind = kindOfRecipient(line);
  switch (kind) {
    case 'ssh-ed25519':
      return parseSsh(line);
    case 'x25519': {
      const point = x25519Point(line);
      const recipient = point === undefined ? undefined : x25519Recipient(point);
      return recipient === undefined ? fail(damaged(line)) : ok(recipient);
    }
    case 'post-quantum':
      return isWholeRecipient(line) ? ok(line) : fail(damaged(line));
    case 'private':
      return fail(privateKey);
    default:
      return fail(unusable(line, otherKinds[kind].cause, otherKinds[kind].remedy));
  }
}

function parseSsh(line: string): Result<Recipient> {
  const key = parsePublicKey(line);
  if (!key.ok) return fail(unusable(line, oneLine(key.failure), copyAgain));
  const recipient = sshRecipient(key.value);
  return recipient === undefined
    ? fail(unusable(line, 'it is damaged: nobody can have the private half of it', copyAgain))
    : ok(recipient);
}

const copyAgain = rules.readerDamaged.remedy;

const forNobody: Failure = {
  kind: 'invalid',
  cause: 'there is nobody to seal to',
  remedy: 'name the hosts or groups of the secret, or readers, in fleet.yaml',
};

const otherKinds = {
  hardware: {
    cause: 'a key in a hardware token signs, but opens nothing',
    remedy: rules.readerHardware.remedy,
  },
  'other-ssh': {
    cause: 'of SSH keys only those of type ssh-ed25519 can be sealed to',
    remedy: rules.readerOtherSsh.remedy,
  },
  plugin: {
    cause: 'it needs a plugin of age or a hardware token, which hosts and this program do not have',
    remedy: rules.readerPlugin.remedy,
  },
  unknown: {
    cause: 'it is no key that is known here',
    remedy: 'write ssh-ed25519 BASE64, age1… or age1pq1…',
  },
} as const;

// Whoever mistook one for the other does not want it in a log.
const privateKey: Failure = {
  kind: 'invalid',
  cause: 'a private key stands where a public one is needed',
  remedy: rules.readerPrivate.remedy,
};

function damaged(line: string): Failure {
  return unusable(line, 'it is damaged: its checksum or its length is wrong', copyAgain);
}

function unusable(line: string, cause: string, remedy: string): Failure {
  const where = oneLine(line);
  const shown = where.length > 60 ? `${where.slice(0, 59)}…` : where;
  return { kind: 'invalid', cause: `nothing can be sealed to this key: ${cause}`, where: shown, remedy };
}
