import { expect, test } from 'vitest';
import { type Effects, type Perform, performAtOnce, through } from '../../agent/seam.ts';

const names = [
  ...[
    'programs',
    'activations',
    'watchdog',
    'trees',
    'nix',
    'systems',
    'agentFiles',
    'agentUnit',
    'secrets',
    'journals',
    'holds',
    'outbox',
    'machine',
    'disks',
    'ledgers',
    'links',
    'health',
    'steps',
  ],
  ...['settings', 'keys'],
];

/** Ports of the real names, with methods of every kind. */
function effects() {
  const calls: unknown[] = [];
  const git = {
    note: 'not a method',
    read(id: string) {
      calls.push(['read', id, this === git]);
      return Promise.resolve(id);
    },
    added: () => Promise.resolve('a method that no port knows yet'),
    fails: () => Promise.reject(new Error('refused')),
  };
  const others = Object.fromEntries(names.map((name) => [name, { act: () => Promise.resolve(name) }]));
  return { calls, all: { git, ...others } as unknown as Effects, git };
}
type Port = Record<string, (...parameters: unknown[]) => Promise<unknown>>;
const asPort = (port: unknown): Port => port as Port;

test('every call of every port goes through, by stage and name, with its parameters', async () => {
  const { all, calls } = effects();
  const performed: string[] = [];
  const perform: Perform = (stage, name, effect) => {
    performed.push(`${stage} ${name}`);
    return effect();
  };
  const wrapped = through(perform, 'build', all);
  expect(await asPort(wrapped.git)['read']?.('x')).toBe('x');
  expect(await asPort(wrapped.git)['added']?.()).toBe('a method that no port knows yet');
  for (const [name, port] of Object.entries(wrapped)) if (name !== 'git') await asPort(port)['act']?.();
  expect(performed).toEqual([
    'build git.read',
    'build git.added',
    ...names.map((name) => `build ${name}.act`),
  ]);
  // On the port itself, as if nobody stood in between.
  expect(calls).toEqual([['read', 'x', true]]);
});

test('no port is left out', () => {
  const { all } = effects();
  expect(Object.keys(through(performAtOnce, 'poll', all)).sort()).toEqual(Object.keys(all).sort());
});

test('nothing happens before the performer lets it, and what it throws is the end of it', async () => {
  const { all, calls } = effects();
  const stopped = through(() => Promise.reject(new Error('stopped')), 'switch', all);
  await expect(asPort(stopped.git)['read']?.('x')).rejects.toThrow('stopped');
  expect(calls).toEqual([]);
});

test('a failing effect fails through', async () => {
  const { all } = effects();
  await expect(asPort(through(performAtOnce, 'poll', all).git)['fails']?.()).rejects.toThrow('refused');
});

test('what is no method is given as it is', () => {
  const { all } = effects();
  expect(through(performAtOnce, 'poll', all).git).toHaveProperty('note', 'not a method');
});
