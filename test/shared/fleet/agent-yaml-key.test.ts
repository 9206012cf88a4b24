import { describe, expect, test } from 'vitest';
import { parseAgentSettings, withKey } from '../../../shared/fleet/agent-yaml.ts';
import { valueOf } from '../../agent/adapters/scratch.ts';

describe('another key', () => {
  const text = `# mine\nhost: web1 # here\nremote: /srv/fleet.git\nintroduction: ${'a'.repeat(40)}\n`;
  const withOther = (of: string): string => valueOf(withKey(of, '/etc/autark/new key'));

  test('takes the place of the one that is named, and all else stays as it was written', () => {
    expect(withOther(`${text}key: /old\ninterval: 1h # seldom\n`)).toBe(
      `${text}key: /etc/autark/new key\ninterval: 1h # seldom\n`,
    );
  });

  test('is added where none is named', () => {
    expect(withOther(text)).toBe(`${text}key: /etc/autark/new key\n`);
  });

  test.each([
    ['in a file on one line', `{ host: web1, remote: /srv/fleet.git, introduction: ${'a'.repeat(40)} }\n`],
    ['in a value of two lines', `${text}key:\n  /old\n`],
    ['under a quoted name', `${text}"key": /old\n`],
  ])('%s is named too, in a file that says the same', (_what, of) => {
    const before = valueOf(parseAgentSettings(of, 'agent.yaml'));
    const after = valueOf(parseAgentSettings(withOther(of), 'agent.yaml'));
    expect(after).toEqual({ ...before, key: '/etc/autark/new key' });
  });
});
