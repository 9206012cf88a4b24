import { expect, test } from 'vitest';
import { parseFleet } from '../../../shared/fleet/parse.ts';
import { keyOf } from '../../../shared/secrets/sealed.ts';
import { seenBy } from '../../../shared/secrets/seen.ts';
import { valueOf } from '../../agent/adapters/scratch.ts';
import { fleetYaml, publicKey, recipient } from '../fleet/sample.ts';

const [web1, web2] = [keyOf(publicKey(2)), keyOf(publicKey(3))];

/** Two hosts; the second one may be gone. One secret that they share, one of each, and what other readers there are. */
function fleetWith({
  isAlone = false,
  secrets = '{ a: { groups: [web] }, b: { groups: [web], each: true } }',
}) {
  const retired = isAlone ? ', retired: true' : '';
  const lines = [
    `readers: [${recipient}]`,
    'groups: { web: }',
    `hosts: { web1: { key: ${web1}, groups: [web] }, web2: { key: ${web2}, groups: [web]${retired} } }`,
    `secrets: ${secrets}`,
  ];
  return valueOf(parseFleet(fleetYaml(...lines), { file: 'fleet.yaml', version: '0.2.0' }));
}

test('of a value of its own that is gone, its host is who has seen it, and no reader', () => {
  const before = new Map([
    ['secrets/a.age', [recipient, web1, web2]],
    ['secrets/web1/b.age', [recipient, web1]],
    ['secrets/web2/b.age', [recipient, web2]],
  ]);
  expect(seenBy(before, fleetWith({ isAlone: true }))).toEqual(new Map([[web2, ['a', 'b']]]));
});

test('of a shared value that each host has for itself now, nobody is named who still has one', () => {
  const each = fleetWith({ secrets: '{ a: { groups: [web], each: true } }' });
  expect(seenBy(new Map([['secrets/a.age', [recipient, web1, web2]]]), each)).toEqual(new Map());
});

test('of a secret that is gone nobody is asked to set a new value', () => {
  const before = new Map([['secrets/c.age', [recipient, web1]]]);
  expect(seenBy(before, fleetWith({}))).toEqual(new Map());
});
