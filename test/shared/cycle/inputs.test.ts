import { expect, test } from 'vitest';
import { type Dependencies, inputsKey } from '../../../shared/cycle/inputs.ts';
import type { TreeItem } from '../../../shared/objects/tree.ts';

const file = (path: string, id: string, mode: TreeItem['mode'] = '100644') => ({
  path,
  item: { mode, name: path, id },
});
const base: Dependencies = {
  host: 'pi',
  groups: ['web'],
  build: 'hosts/pi/build',
  found: [file('hosts/pi/build', '1'.repeat(40), '100755'), file('common', '2'.repeat(40), '40000')],
};

test('the same inputs have the same key', () => {
  expect(inputsKey(structuredClone(base))).toBe(inputsKey(base));
});

test('whatever a build can see makes another key', () => {
  const [program, common] = base.found;
  if (program === undefined || common === undefined) throw new Error('no inputs');
  const others: Dependencies[] = [
    { ...base, host: 'pj' },
    { ...base, groups: [] },
    { ...base, groups: ['web', 'db'] },
    { ...base, groups: ['we', 'b'] },
    { ...base, build: 'hosts/pi/build2' },
    { ...base, found: [program] },
    { ...base, found: [program, file('common', '3'.repeat(40), '40000')] },
    { ...base, found: [program, file('common', '2'.repeat(40), '120000')] },
    { ...base, found: [file('hosts/pi/build', '1'.repeat(40)), common] },
    { ...base, found: [program, { path: 'common', item: null }] },
    { ...base, found: [program, file('commons', '2'.repeat(40), '40000')] },
  ];
  expect(new Set([base, ...others].map(inputsKey)).size).toBe(others.length + 1);
});

test('what is not there is told from what is empty', () => {
  const absent = inputsKey({ ...base, found: [{ path: 'x', item: null }] });
  expect(absent).not.toBe(inputsKey({ ...base, found: [] }));
});
