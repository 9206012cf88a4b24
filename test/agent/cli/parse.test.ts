import { describe, expect, test } from 'vitest';
import yargs from 'yargs';
import { parse } from '../../../agent/cli/parse.ts';
import type { Verb } from '../../../agent/cli/verb.ts';
import { verbs } from '../../../agent/cli/verbs.ts';

const seed = Number(process.env['AUTARK_SEED'] ?? 7);

/** mulberry32: small, seeded, good enough to pick words. */
function picker(state: number): (below: number) => number {
  let s = state;
  return (below) => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

function flagsOf(verb: Verb): string[] {
  return Object.entries(verb.options ?? {}).flatMap(([name, { value }]) =>
    value === undefined ? [name] : [],
  );
}

describe('a call of names and flags', () => {
  test(`means what yargs takes it to mean (AUTARK_SEED=${seed})`, async () => {
    const pick = picker(seed);
    for (let round = 0; round < 200; round += 1) {
      const verb = verbs[pick(verbs.length)] as Verb;
      const flags = flagsOf(verb).filter(() => pick(2) === 0);
      const names = ['web1', 'db-2'].filter(() => pick(2) === 0);
      const words = [verb.name, ...[...flags.map((flag) => `--${flag}`), ...names].sort(() => pick(3) - 1)];
      const parsed = await parse(verb, words);
      const expected = yargs(words)
        .boolean(flagsOf(verb))
        .parserConfiguration({ 'boolean-negation': false })
        .help(false)
        .version(false)
        .parseSync();
      if (!parsed.ok) continue;
      for (const flag of flagsOf(verb)) expect(parsed.value.args.flag(flag)).toBe(expected[flag] === true);
      expect(parsed.value.args.rest).toEqual(expected._.slice(1));
    }
  });

  test.each([
    [['status', '-xjson'], 'status has no option'],
    [['status', '--jsom'], 'try --json'],
    [['agent', 'web1'], 'agent has no use for “web1”'],
  ])('%j is not one', async (words, sentence) => {
    const verb = verbs.find(({ name }) => name === words[0]) as Verb;
    const parsed = await parse(verb, words);
    expect(parsed.ok ? '' : `${parsed.failure.cause}; ${parsed.failure.remedy}`).toContain(sentence);
  });
});
