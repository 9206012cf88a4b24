import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attacks } from './attacks.ts';

test('each line has one test, and each test its line', () => {
  const sources = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));
  const tested = sources.flatMap((source) =>
    [...source.matchAll(/\b(?:withstands\(siege, |against\()'([a-z0-9-]+)'/g)].map(([, line]) => line),
  );
  expect([...tested].sort()).toEqual(Object.keys(attacks).sort());
});

test('no two lines say the same', () => {
  const sentences = Object.values(attacks);
  expect(new Set(sentences).size).toBe(sentences.length);
});
