import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { identitiesIn } from '../../agent/adapters/age/identities.ts';
import { openerFor } from '../../agent/adapters/age/opener.ts';
import { ageSealer } from '../../agent/adapters/age/sealer.ts';
import { failureOf, scratch, valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { must } from '../rig/run.ts';
import { environment } from '../rig/world.ts';

/** Few rounds: how slow bcrypt is, is not what is asked here. */
async function makeLocked(passphrase: string, cipher: string) {
  const dir = scratch();
  const file = join(dir, 'key');
  const args = [
    '-q',
    '-t',
    'ed25519',
    '-a',
    '2',
    '-Z',
    cipher,
    '-N',
    passphrase,
    '-C',
    'a comment',
    '-f',
    file,
  ];
  await must('ssh-keygen', args, { env: environment(dir) });
  return { file, recipient: (await readFile(`${file}.pub`, 'utf8')).trim() };
}

async function sealedTo(recipient: string): Promise<Buffer> {
  return Buffer.from(valueOf(await ageSealer().seal(Buffer.from('value'), [recipient])));
}

describeWith(['ssh-keygen'], 'a key that ssh-keygen locked', () => {
  test.each([
    'aes256-ctr',
    'aes192-ctr',
    'aes128-ctr',
    'aes256-cbc',
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
  ])('with %s opens with its passphrase, which is asked for once, and not with another', async (cipher) => {
    const passphrase = ' pässphrase with blanks ';
    const { file, recipient } = await makeLocked(passphrase, cipher);
    const sealed = await sealedTo(recipient);
    const answers = ['wrong', passphrase.trim(), passphrase];
    let asked = 0;
    const ask = () => Promise.resolve(answers[asked++] ?? '');
    const opener = openerFor(valueOf(await identitiesIn(file, ask)));
    const both = await Promise.all([opener.open(sealed, 'a.age'), opener.open(sealed, 'b.age')]);
    expect(both.map((each) => Buffer.from(valueOf(each)).toString())).toEqual(['value', 'value']);
    expect(asked).toBe(3);
  });

  test('with a cipher that is not known here is explained', async () => {
    const { file } = await makeLocked('long enough', '3des-cbc');
    const failure = failureOf(await identitiesIn(file, () => Promise.resolve('long enough')));
    expect(failure.cause).toMatch(/locked with 3des-cbc and bcrypt, .*ssh-keygen -p/);
  });

  test.each(['aes256-ctr', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com'])(
    'with %s never opens once its private half is damaged',
    async (cipher) => {
      const { file, recipient } = await makeLocked('long enough', cipher);
      const sealed = await sealedTo(recipient);
      const [head = '', ...lines] = (await readFile(file, 'utf8')).trimEnd().split('\n');
      const bytes = Buffer.from(lines.slice(0, -1).join(''), 'base64');
      // From behind: past the tag, the comment and the padding lie the two halves of the key.
      for (const fromEnd of [70, 90, 110]) {
        const changed = Buffer.from(bytes);
        const at = bytes.length - fromEnd;
        changed[at] = (changed[at] ?? 0) ^ 4;
        const text = [head, ...(changed.toString('base64').match(/.{1,70}/g) ?? []), lines.at(-1), ''].join(
          '\n',
        );
        await writeFile(file, text);
        const keys = valueOf(await identitiesIn(file, () => Promise.resolve('long enough')));
        expect(failureOf(await openerFor(keys).open(sealed, 'a.age')).cause).toMatch(
          /wrong 3 times, or the file is damaged/,
        );
      }
    },
  );
});
