import { expect, test } from 'vitest';
import { parseFleet } from '../../../shared/fleet/parse.ts';
import { canOwn, highestId } from '../../../shared/secrets/owner.ts';
import { fleetYaml } from '../fleet/sample.ts';

const isTaken = (owner: string): boolean =>
  parseFleet(fleetYaml(`secrets: { a: { owner: "${owner}" } }`), { file: 'fleet.yaml', version: '0.1.0' }).ok;

test('the last number of 32 bits is -1 to chown(2), and nobody’s', () => {
  expect([highestId, highestId + 1, -1, 1.5, 2 ** 53].map(canOwn)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
});

test('fleet.yaml takes as an owner just the numbers that a file can be given to', () => {
  // Around each number from which on another digit of the limit counts, and each power of ten.
  const digits = String(highestId);
  const edges = Array.from(digits, (_, at) => at).flatMap((at) => [
    Number(digits.slice(0, at + 1).padEnd(digits.length, '0')),
    10 ** at,
    10 ** (at + 2),
  ]);
  const around = [...edges, highestId, 2 ** 32].flatMap((edge) => [edge - 1, edge, edge + 1]);
  for (const number of around) expect(isTaken(String(number)), String(number)).toBe(canOwn(number));
});

test('zeros in front change nothing, and what only begins like a number is a name', () => {
  expect([isTaken('007'), isTaken('04294967294'), isTaken('04294967295')]).toEqual([true, true, false]);
  expect([isTaken('4294967295x'), isTaken('99999999999.a')]).toEqual([true, true]);
});
