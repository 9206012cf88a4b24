import { fail, ok, type Failure, type Result } from '../failure.ts';
import { formatAllowedSigner, parseAllowedSigners, type Admin } from './allowed-signers.ts';
import { fingerprint, parsePublicKey } from './ssh-key.ts';

const where = 'allowed_signers';

/**
 * The text of `allowed_signers` with one line more. What is there stays, byte for byte.
 * @param key `TYPE BASE64`
 */
export function addAdmin(text: string, name: string, key: string): Result<string> {
  const { admins } = parseAllowedSigners(text);
  const owner = admins.find((admin) => admin.key === key);
  if (owner !== undefined) return fail(hasKey(owner));
  const line = lineFor(name, key);
  if (line === undefined) return fail(noName(name));
  const end = text === '' || text.endsWith('\n') ? '' : '\n';
  return ok(`${text}${end}${line}\n`);
}

/** The text without the lines that name this person; `removed` are the keys that grant nothing from then on. */
export function removeAdmin(
  text: string,
  name: string,
): Result<{ readonly text: string; readonly removed: readonly string[] }> {
  const { admins } = parseAllowedSigners(text);
  const theirs = admins.filter(({ names }) => names.includes(name));
  if (theirs.length === 0) return fail(nobody(name, admins));
  const shared = theirs.find(({ names }) => names.length > 1);
  if (shared !== undefined) return fail(severalNames(shared, name));
  if (theirs.length === admins.length) return fail(theLast(name));
  const gone = new Set(theirs.map(({ line }) => line));
  const left = text
    .split('\n')
    .filter((_, index) => !gone.has(index + 1))
    .join('\n');
  const removed = theirs.map(({ key }) => key);
  const twice = parseAllowedSigners(left).admins.find(({ key }) => removed.includes(key));
  return twice === undefined ? ok({ text: left, removed }) : fail(stillThere(name, twice));
}

function lineFor(name: string, key: string): string | undefined {
  try {
    return formatAllowedSigner(name, key);
  } catch {
    return undefined;
  }
}

function hasKey({ names, line, key }: Admin): Failure {
  const parsed = parsePublicKey(key);
  return {
    kind: 'unexpected',
    cause: `the key ${parsed.ok ? fingerprint(parsed.value.blob) : key} may sign already, as ${names.join(', ')}`,
    where: `${where}:${line}`,
    remedy: 'nothing is left to do; another person needs a key of their own',
  };
}

function noName(name: string): Failure {
  return {
    kind: 'usage',
    cause: `“${name}” and this key make no line of ${where}`,
    where,
    remedy:
      'take a name of letters, digits and ._%+@-, such as an e-mail address, and an ssh-ed25519 or sk-ssh-ed25519@openssh.com key',
  };
}

function nobody(name: string, admins: readonly Admin[]): Failure {
  return {
    kind: 'unexpected',
    cause: `nobody is called ${name}`,
    where,
    remedy: `those who may sign are ${admins.flatMap(({ names }) => names).join(', ')}`,
  };
}

function severalNames({ line, names }: Admin, name: string): Failure {
  const others = names.filter((each) => each !== name).join(', ');
  return {
    kind: 'unexpected',
    cause: `the key of ${name} is that of ${others} too`,
    where: `${where}:${line}`,
    remedy: 'edit the line by hand: the key stays as long as one name does',
  };
}

function stillThere(name: string, { names }: Admin): Failure {
  return {
    kind: 'unexpected',
    cause: `a key of ${name} may sign as ${names.join(', ')} too, on a line of its own`,
    where,
    remedy: `remove ${names.join(', ')} first, or edit the file by hand: a key counts as long as one line has it`,
  };
}

function theLast(name: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${name} is the last who may sign, and without them nothing could be changed any more`,
    where,
    remedy: 'add another first: `autark admin add NAME --key FILE.pub`',
  };
}
