import { describe, expect, test } from 'vitest';
import { parseAllowedSigners } from '../../../shared/trust/allowed-signers.ts';
import { addAdmin, removeAdmin } from '../../../shared/trust/edit-signers.ts';
import { publicKey } from '../fleet/sample.ts';

const [alice, bob, carol] = [publicKey(1), publicKey(2), publicKey(3)];
const text = `# who may sign\n\nalice@example.org namespaces="git" ${alice} laptop\nbob ${bob}\n`;
const causeOf = (result: ReturnType<typeof addAdmin> | ReturnType<typeof removeAdmin>): string =>
  result.ok ? '' : result.failure.cause;

describe('an admin', () => {
  test('is added as a line of their own', () => {
    expect(addAdmin(text, 'carol', carol)).toEqual({
      ok: true,
      value: `${text}carol namespaces="git" ${carol}\n`,
    });
    expect(addAdmin(text.trimEnd(), 'carol', carol)).toEqual(addAdmin(text, 'carol', carol));
    expect(addAdmin('', 'carol', carol)).toEqual({ ok: true, value: `carol namespaces="git" ${carol}\n` });
  });

  test('is not added twice, nor under a name that would grant nothing', () => {
    expect(causeOf(addAdmin(text, 'bob2', bob))).toMatch(/may sign already, as bob/);
    for (const name of ['', 'a b', '*', '"x"', 'x,y z', '-x'])
      expect(causeOf(addAdmin(text, name, carol))).not.toBe('');
  });

  test('is removed with every key of theirs, and everything else stays', () => {
    const more = `${text}bob ${carol} token\n`;
    expect(removeAdmin(more, 'bob')).toEqual({
      ok: true,
      value: {
        text: `# who may sign\n\nalice@example.org namespaces="git" ${alice} laptop\n`,
        removed: [bob, carol],
      },
    });
  });

  test('is not removed when they are the last, share a line, or are nobody', () => {
    expect(causeOf(removeAdmin(`bob ${bob}\n`, 'bob'))).toMatch(/the last who may sign/);
    expect(causeOf(removeAdmin(`${text}bob,dave ${carol}\n`, 'bob'))).toMatch(/that of dave too/);
    expect(causeOf(removeAdmin(text, 'mallory'))).toMatch(/nobody is called mallory/);
  });

  test('whoever is added is named by the grammar that hosts read', () => {
    const added = addAdmin(text, 'carol', carol);
    const { admins, complaints } = parseAllowedSigners(added.ok ? added.value : '');
    expect(admins.map(({ key }) => key)).toEqual([alice, bob, carol]);
    expect(complaints).toEqual([]);
  });
});
