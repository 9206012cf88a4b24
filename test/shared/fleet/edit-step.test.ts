import { describe, expect, test } from 'vitest';
import type { StepApproval } from '../../../shared/disk/approval.ts';
import { parseApproval } from '../../../shared/disk/approval.ts';
import { approveStep, isOwnStep } from '../../../shared/fleet/edit-step.ts';
import { readYaml } from '../../../shared/fleet/read-yaml.ts';
import { addedLines, hostOf } from './approving.ts';
import { everything, fleetId, fleetYaml, publicKey } from './sample.ts';

const approval: StepApproval = {
  // Digits alone, which YAML would take for a number.
  id: '1'.repeat(32),
  key: publicKey(2),
  installation: `12e${'4'.repeat(29)}`,
  program: '2'.repeat(40),
  files: '3'.repeat(64),
  runs: 1,
  devices: [
    {
      path: '/dev/disk/by-id/ata-X',
      serial: '0042: #1',
      size: 64 * 2 ** 20,
      layout: '4'.repeat(64),
      samples: '5'.repeat(64),
    },
  ],
  by: 'alice@example.org',
  at: '2026-11-29T00:00:00.000Z',
};

function written(text: string, host: string, step: string): string {
  const result = approveStep(text, host, step, approval);
  expect(result.ok ? undefined : result.failure).toBeUndefined();
  return result.ok ? result.value : '';
}

function readBack(text: string, host: string, step: string) {
  const found = hostOf(text, host)?.steps.find(({ name }) => name === step);
  return parseApproval(found?.approved);
}

describe('an approval of a step', () => {
  test.each([
    [
      'hosts:',
      '  a:',
      '    steps:',
      '      - name: f # first',
      '        run: p',
      '      - { name: g, run: q }',
    ],
    ['hosts:', '  a:', '    steps:', '      - { name: f, run: p } # one', '      - { name: g, run: q }'],
    ['hosts: { a: { steps: [ { name: g, run: q }, { name: f, run: p, } ] } } # all on one line'],
    [
      'hosts:',
      '  b: { steps: [ { name: f, run: p } ] }',
      '  a:',
      '    steps: [{ run: p, name: f }]',
      'x-z: 1',
    ],
  ])('stands below the step that it is for, and changes nothing else: %s', (...lines) => {
    const before = fleetYaml(...lines);
    const after = written(before, 'a', 'f');
    expect(readBack(after, 'a', 'f')).toEqual({ ok: true, value: approval });
    // Every comment is still there, and taking the approval out again gives the file as it was.
    expect(after.replace(/,? ?approved: \{.*?\} \],.*?\}(,?)/, '$1').replace(/\n +(?=\n)/, '')).toBe(before);
    for (const [host, step] of [
      ['a', 'g'],
      ['b', 'f'],
    ] as const)
      expect(hostOf(after, host)?.steps.find(({ name }) => name === step)?.approved).toBeUndefined();
  });

  test('is one line more in a block, below the last key and before the comments of what follows', () => {
    const lines = ['hosts:', '  a:', '    steps:', '      - name: f', '        run: p', '      # the next'];
    const before = fleetYaml(...lines, '      - { name: g, run: q }');
    const added = addedLines(before, written(before, 'a', 'f'));
    expect(added).toHaveLength(1);
    expect(added[0]).toMatch(/^ {8}approved: \{ id: "1{32}", key: /);
  });

  test('takes the place of an older one, of which nothing is left', () => {
    const after = written(everything, 'web1', 'format-disks');
    expect(readBack(after, 'web1', 'format-disks')).toEqual({ ok: true, value: approval });
    expect(after).not.toContain('installation: abc');
    const [old, now] = [everything.split('\n'), after.split('\n')];
    expect(now).toHaveLength(old.length);
    expect(now.filter((line, index) => line !== old[index])).toHaveLength(1);
    // The same again changes nothing: what is replaced ends where it ends.
    expect(written(after, 'web1', 'format-disks')).toBe(after);
  });

  test('keeps the line ends of the file', () => {
    const before = fleetYaml('hosts:', '  a:', '    steps:', '      - name: f', '        run: p').replaceAll(
      '\n',
      '\r\n',
    );
    const after = written(before, 'a', 'f');
    expect(after.replaceAll('\r\n', '')).not.toContain('\n');
    expect(readBack(after, 'a', 'f')).toEqual({ ok: true, value: approval });
  });

  test('is written into a file that is JSON', () => {
    const hosts = { a: { steps: [{ name: 'f', run: 'p' }] } };
    const after = written(JSON.stringify({ version: 1, fleet: fleetId, hosts }), 'a', 'f');
    expect(readBack(after, 'a', 'f')).toEqual({ ok: true, value: approval });
  });

  test.each([
    ['x-s: &s { name: f, run: p }', 'hosts: { a: { steps: [ *s ] } }'],
    ['x-s: &s [ { name: f, run: p } ]', 'hosts: { b: { steps: *s }, a: { steps: *s } }'],
  ])('is never written where others would have it as well: %s', (...lines) => {
    const text = fleetYaml(...lines);
    const result = approveStep(text, 'a', 'f', approval);
    // Whether aliases are read at all is not decided here: no text is given back that says more than was asked for.
    expect(result.ok).toBe(false);
  });

  test('of a step that is not there is not written', () => {
    expect(approveStep(fleetYaml('hosts: { a: { steps: [] } }'), 'a', 'f', approval)).not.toMatchObject({
      value: expect.stringContaining('approved') as string,
    });
  });
});

describe('a step', () => {
  const tree = (...lines: readonly string[]) => {
    const read = readYaml(fleetYaml(...lines));
    if (!read.ok) throw new Error('the text is not YAML');
    return read.tree;
  };

  test('is a host’s own only where the host itself declares it', () => {
    const group = 'groups: { g: { steps: [ { name: f, run: p } ] } }';
    expect(isOwnStep(tree(group, 'hosts: { a: { groups: [g] } }'), 'a', 'f')).toBe(false);
    const own = tree(group, 'hosts: { a: { steps: [ { name: f, run: p } ] }, b: { groups: [g] } }');
    expect([isOwnStep(own, 'a', 'f'), isOwnStep(own, 'b', 'f'), isOwnStep(own, 'a', 'g')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
