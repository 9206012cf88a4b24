import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseCommit, serialiseCommit, withSignature } from '../../shared/objects/commit.ts';
import { parseAllowedSigners } from '../../shared/trust/allowed-signers.ts';
import { openSigners } from '../../shared/trust/signer.ts';
import { parseSshSig, signWith, verifySshSig } from '../../shared/trust/sshsig.ts';
import { chooseSeed, scratch, seeded } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { run, must } from '../rig/run.ts';
import { environment } from '../rig/world.ts';
import { mutate } from '../shared/mutate.ts';
import { keyOf } from '../shared/trust/fixtures.ts';

const message = Buffer.from('a message\n');
const alice = keyOf('alice');

/** ssh-keygen's verdict on a signature over the message, for a file of this text. */
function keygen() {
  const dir = scratch();
  const env = environment(dir);
  return async (allowed: string, signature: string, name: string): Promise<boolean> => {
    await writeFile(join(dir, 'allowed_signers'), allowed);
    await writeFile(join(dir, 'sig'), signature);
    const args = ['-Y', 'verify', '-f', 'allowed_signers', '-I', name, '-n', 'git', '-s', 'sig'];
    return (await run('ssh-keygen', args, { cwd: dir, env, input: message })).code === 0;
  };
}

function damaged(text: string, random: () => number): string {
  return Buffer.from(mutate(Buffer.from(text), random)).toString('latin1');
}

/** What they say about damaged input: whatever we take, they take; whatever only they take, we complain about. */
describeWith(['ssh-keygen'], 'ssh-keygen, git and we, about what is damaged', () => {
  test('agree about lines of allowed_signers', async () => {
    const seed = chooseSeed();
    const random = seeded(seed);
    const verifies = keygen();
    const signature = signWith(alice, 'git', message);
    const begins = ['alice', 'alice,bob@example.org', 'a.l-i_c+e%x'];
    const middles = ['', 'namespaces="git" '];
    const counted = { both: 0, neither: 0, onlyThem: 0 };
    for (let round = 0; round < 300; round += 1) {
      const [begin, middle] = [begins[round % 3] ?? '', middles[round % 2] ?? ''];
      // Damage where a damaged line may still grant: names, options and comments; now and then anywhere.
      const line =
        round % 4 === 0
          ? damaged(`${begin} ${middle}${alice.line} a comment`, random)
          : `${damaged(begin, random)} ${middle}${alice.line} ${damaged('a comment', random)}`;
      if (line.includes('\n')) continue;
      const { admins, complaints } = parseAllowedSigners(line);
      const ours = admins.filter(({ key }) => key === alice.line).flatMap(({ names }) => names);
      const name = ours[0] ?? line.split(/[ ,]/)[0] ?? 'alice';
      // Neither an empty name nor one that looks like an option can be asked about.
      if (name === '' || name.includes('\0')) continue;
      const theirs = await verifies(`${line}\n`, signature, name);
      const said = `seed ${seed}, round ${round}: ${JSON.stringify(line)}`;
      if (ours.length > 0) expect(theirs, said).toBe(true);
      if (theirs && ours.length === 0) expect(complaints, said).toHaveLength(1);
      counted[ours.length > 0 ? 'both' : theirs ? 'onlyThem' : 'neither'] += 1;
    }
    expect(Math.min(...Object.values(counted)), `seed ${seed}: ${JSON.stringify(counted)}`).toBeGreaterThan(
      5,
    );
  });

  test('agree about signatures: what either takes holds the same bytes', async () => {
    const seed = chooseSeed();
    const random = seeded(seed);
    const verifies = keygen();
    const good = signWith(alice, 'git', message);
    const [, base64 = ''] = /-----\n([^-]+)-----END/.exec(good) ?? [];
    const blob = Buffer.from(base64, 'base64');
    const allowed = `alice ${alice.line}\n`;
    expect(await verifies(allowed, good, 'alice')).toBe(true);
    for (let round = 0; round < 200; round += 1) {
      const isInside = round % 2 === 0;
      const bytes = isInside ? Buffer.from(mutate(blob, random)) : blob;
      const text = isInside ? good.replace(base64, `${bytes.toString('base64')}\n`) : damaged(good, random);
      const parsed = parseSshSig(text);
      const ours = parsed.ok && verifySshSig(parsed.value, 'git', message, { blob: alice.publicBlob }).ok;
      const theirs = await verifies(allowed, text, 'alice');
      const said = `seed ${seed}, round ${round}: ${JSON.stringify(text)}`;
      if (ours) expect(theirs, said).toBe(true);
      if (theirs && isInside) expect(bytes.equals(blob), said).toBe(true);
    }
  });

  test('agree about commits with damaged signatures', async () => {
    const seed = chooseSeed();
    const random = seeded(seed);
    const dir = scratch();
    const env = environment(dir);
    const at = { cwd: dir, env };
    await must('git', ['init', '--quiet', '--bare', '.'], at);
    await writeFile(join(dir, 'signers'), `alice@example.org ${alice.line}\n`);
    const who = { name: 'Alice', email: 'alice@example.org', seconds: 1_700_000_000, zone: '+0000' };
    const tree = await must('git', ['mktree'], { ...at, input: '' });
    const payload = serialiseCommit({ tree, parents: [], author: who, committer: who, message: 'Begin\n' });
    const bytes = Buffer.from(withSignature(payload, signWith(alice, 'git', payload)));
    const [begin, end] = [bytes.indexOf('gpgsig '), bytes.indexOf('\n\n')];
    const signers = openSigners();
    let taken = 0;
    for (let round = 0; round < 3000; round += 1) {
      const middle = round === 0 ? bytes.subarray(begin, end) : mutate(bytes.subarray(begin, end), random);
      const whole = Buffer.concat([bytes.subarray(0, begin), middle, bytes.subarray(end)]);
      const commit = parseCommit(whole);
      const signer = commit.ok ? signers(commit.value, whole) : commit;
      if (!signer.ok) continue;
      expect(signer.value).toBe(alice.line);
      const id = await must('git', ['hash-object', '-t', 'commit', '-w', '--stdin'], { ...at, input: whole });
      const config = ['-c', 'gpg.format=ssh', '-c', `gpg.ssh.allowedSignersFile=${dir}/signers`];
      const { code } = await run('git', [...config, 'verify-commit', id], at);
      expect(code, `seed ${seed}, round ${round}: ${JSON.stringify(whole.toString('latin1'))}`).toBe(0);
      taken += 1;
    }
    expect(taken).toBeGreaterThan(0);
  });
});
