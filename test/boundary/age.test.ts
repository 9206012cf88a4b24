import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostOpener, identitiesIn } from '../../agent/adapters/age/identities.ts';
import { openerFor } from '../../agent/adapters/age/opener.ts';
import { ageSealer } from '../../agent/adapters/age/sealer.ts';
import { fromBech32 } from '../../shared/secrets/bech32.ts';
import { toMontgomery } from '../../shared/secrets/montgomery.ts';
import { parsePublicKey } from '../../shared/trust/ssh-key.ts';
import { chooseSeed, failureOf, scratch, seeded, valueOf } from '../agent/adapters/scratch.ts';
import { unasked } from '../agent/adapters/age/keys.ts';
import { describeWith } from '../rig/needs.ts';
import { must, run } from '../rig/run.ts';
import { environment } from '../rig/world.ts';

/** A folder with an SSH key, a key of age, and another SSH key that nothing is sealed to. */
async function makeKeys() {
  const dir = scratch();
  const env = environment(dir);
  const ssh = join(dir, 'ssh');
  const age = join(dir, 'age.txt');
  const stranger = join(dir, 'stranger');
  for (const file of [ssh, stranger]) {
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'a comment', '-f', file], { env });
  }
  await must('age-keygen', ['-o', age], { env });
  const recipients = {
    ssh: (await readFile(`${ssh}.pub`, 'utf8')).trim(),
    age: await must('age-keygen', ['-y', age], { env }),
  };
  return { dir, env, ssh, age, stranger, recipients };
}

type Keys = Awaited<ReturnType<typeof makeKeys>>;

/** The value as the real program opens it from a file; `null` when it does not. */
async function opened({ dir, env }: Keys, sealed: string | Uint8Array, key: string): Promise<Buffer | null> {
  const [file, out] = [join(dir, 'in.age'), join(dir, 'out')];
  await writeFile(file, sealed);
  // For an empty value it leaves the output alone.
  await writeFile(out, '');
  const ran = await run('age', ['-d', '-i', key, '-o', out, file], { env });
  return ran.code === 0 ? readFile(out) : null;
}

async function sealedBy({ dir, env }: Keys, value: Uint8Array, args: readonly string[]): Promise<Buffer> {
  const [file, out] = [join(dir, 'clear'), join(dir, 'sealed')];
  await writeFile(file, value);
  await must('age', [...args, '-o', out, file], { env });
  return readFile(out);
}

function valuesOf(seed: number): readonly Buffer[] {
  const random = seeded(seed);
  return [0, 1, 300, 65_535, 65_536, 65_537, 140_000].map((length) =>
    Buffer.from(Array.from({ length }, () => Math.floor(random() * 256))),
  );
}

describeWith(['age', 'ssh-keygen'], 'the age program and we', () => {
  test('it opens what we seal, with each of the keys, and with no other', async () => {
    const keys = await makeKeys();
    const { ssh, age } = keys.recipients;
    const seed = chooseSeed();
    for (const value of valuesOf(seed)) {
      const said = `seed ${seed}, ${value.length} bytes`;
      const sealed = valueOf(await ageSealer().seal(value, [ssh, age]));
      for (const key of [keys.ssh, keys.age]) expect(await opened(keys, sealed, key), said).toEqual(value);
      expect(await opened(keys, sealed, keys.stranger), said).toBeNull();
    }
    const onlyAge = valueOf(await ageSealer().seal(Buffer.from('v'), [age]));
    expect(await opened(keys, onlyAge, keys.ssh)).toBeNull();
  });

  test('it opens one of ours that has a post-quantum reader too', async () => {
    const keys = await makeKeys();
    const { generateHybridIdentity, identityToRecipient } = await import('age-encryption');
    const hybrid = await identityToRecipient(await generateHybridIdentity());
    const sealed = valueOf(await ageSealer().seal(Buffer.from('v'), [hybrid, keys.recipients.ssh]));
    expect(await opened(keys, sealed, keys.ssh)).toEqual(Buffer.from('v'));
  });

  test('we open what it seals, binary and armoured, to one key and to many', async () => {
    const keys = await makeKeys();
    const list = join(keys.dir, 'recipients');
    await writeFile(list, `# both\n${keys.recipients.ssh}\n${keys.recipients.age}\n`);
    const seed = chooseSeed();
    const [ssh, age, stranger] = await Promise.all(
      [keys.ssh, keys.age, keys.stranger].map(async (file) =>
        openerFor(valueOf(await identitiesIn(file, unasked))),
      ),
    );
    for (const value of valuesOf(seed)) {
      for (const [args, openers] of [
        [['-R', `${keys.ssh}.pub`], [ssh]],
        [['-r', keys.recipients.age], [age]],
        [
          ['-R', list],
          [ssh, age],
        ],
      ] as const) {
        for (const armour of [[], ['-a']]) {
          const sealed = await sealedBy(keys, value, [...args, ...armour]);
          const said = `seed ${seed}, ${value.length} bytes, ${[...args, ...armour].join(' ')}`;
          for (const opener of openers) {
            expect(Buffer.compare(valueOf((await opener?.open(sealed, 'x')) ?? fails), value), said).toBe(0);
          }
          expect((await stranger?.open(sealed, 'x'))?.ok, said).toBe(false);
        }
      }
    }
  });

  test('a host opens what `age` sealed to it, as agenix does: each key with -r', async () => {
    const keys = await makeKeys();
    const other = (await readFile(`${keys.stranger}.pub`, 'utf8')).trim();
    const sealed = await sealedBy(keys, Buffer.from('v'), [
      '--armor',
      '-r',
      other,
      '-r',
      keys.recipients.ssh,
    ]);
    for (const file of [keys.ssh, keys.stranger]) {
      expect((await valueOf(await hostOpener(file)).open(sealed, 'x')).ok).toBe(true);
    }
  });

  test('we refuse what it seals with an RSA key alone, by name', async () => {
    const keys = await makeKeys();
    const rsa = join(keys.dir, 'rsa');
    await must('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', rsa], { env: keys.env });
    const sealed = await sealedBy(keys, Buffer.from('v'), ['-R', `${rsa}.pub`]);
    const failure = failureOf(await valueOf(await hostOpener(keys.ssh)).open(sealed, 'x'));
    expect(failure.cause).toBe('it is sealed to another key (1 ssh-rsa)');
    expect(failureOf(await identitiesIn(rsa, unasked)).cause).toMatch(/of type ssh-rsa/);
  });

  test('an SSH key opens what is sealed to the age1… that ssh-to-age would make of it', async () => {
    const keys = await makeKeys();
    const point = toMontgomery(valueOf(parsePublicKey(keys.recipients.ssh)).point) ?? new Uint8Array();
    const converted = bech32('age', point);
    // Ours reads it back, and the real program takes it.
    expect(Buffer.from(fromBech32(converted)?.bytes ?? [])).toEqual(Buffer.from(point));
    const sealed = await sealedBy(keys, Buffer.from('v'), ['-r', converted]);
    expect((await valueOf(await hostOpener(keys.ssh)).open(sealed, 'x')).ok).toBe(true);
    expect((await valueOf(await hostOpener(keys.stranger)).open(sealed, 'x')).ok).toBe(false);
  });
});

const fails = { ok: false, failure: 'there is no opener' } as const;

/** The encoder of BIP 173, for the test alone: nothing of ours writes one. */
function bech32(prefix: string, bytes: Uint8Array): string {
  const letters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const padded = bits.padEnd(Math.ceil(bits.length / 5) * 5, '0');
  const groups = (padded.match(/.{5}/g) ?? []).map((group) => Number.parseInt(group, 2));
  const codes = [...Buffer.from(prefix)];
  const head = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
  let sum = 1;
  for (const value of [...head, ...groups, 0, 0, 0, 0, 0, 0]) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].forEach((each, index) => {
      if ((top >> index) & 1) sum ^= each;
    });
  }
  const check = Array.from({ length: 6 }, (_, index) => ((sum ^ 1) >>> (5 * (5 - index))) & 31);
  return `${prefix}1${[...groups, ...check].map((value) => letters[value]).join('')}`;
}
