import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { heldOf, type KeptSecret } from '../../../shared/secrets/kept-set.ts';
import { namedBy, tellings } from '../../../shared/secrets/place-plan.ts';
import type { Opener, Placed } from '../../secret-ports.ts';
import { namesIn } from '../durable.ts';
import { fileFailure } from '../file-failure.ts';
import { aboutOf, placedNumber, type Layout } from './layout.ts';
import { linkSentence, placeLinks, type Wanted } from './links.ts';
import { isInMemory, prepareMemory } from './memory.ts';
import { finder, giveTo, noteOwner, ownerSentence } from './owners.ts';
import { makeExactly, removeBefore, removeSet, removeSets, swap, takeNumber } from './sets.ts';
import { changedIn, noteStamps } from './stamps.ts';
import { namedIn, noteNamed, noteTellings } from './tell.ts';

export interface PlaceOptions {
  readonly layout: Layout;
  readonly opener: Opener;
  readonly env: Readonly<Record<string, string>>;
  readonly hasSystemd: boolean;
  readonly asksAll: boolean;
  /** Called before each effect that a crash may come after: tests end the process there. */
  readonly before: (effect: string) => void;
}

/** Milliseconds: whoever has just followed the link to the old set still opens what it led to. */
const grace = 100;

/**
 * Each effect leaves what the next call finishes: until the swap the old set is there, whole, and after it the new one.
 * What is told to units and which paths have links is written before the swap, and forgotten after it. Whatever stops it,
 * one set is left in the clear, and what went wrong with links is a problem of theirs.
 */
export async function placeSet(
  options: PlaceOptions,
  id: string,
  secrets: readonly KeptSecret[],
): Promise<Result<Placed>> {
  const { layout, before } = options;
  const memory = await prepareMemory(options);
  if (!memory.ok) return memory;
  try {
    const old = await placedNumber(layout);
    before('the folders');
    const numbers = { old, number: await takeNumber(layout, old) };
    const written = await swapIn(options, numbers, id, secrets);
    const linked = await afterSwap(options, numbers, wantedOf(secrets, written.digests));
    await writeFile(join(aboutOf(layout, numbers.number), 'done'), '', { mode: 0o600 });
    const problems = linked.ok ? linked.value : [linkSentence(linked.failure)];
    return ok({ missing: written.missing, problems: [...written.problems, ...problems] });
  } catch (error) {
    return fail(fileFailure(error, 'place secrets', layout.store));
  }
}

/** Puts the new set into the place of the old one; or throws, and nothing of it stays. */
async function swapIn(
  options: PlaceOptions,
  numbers: Numbers,
  id: string,
  secrets: readonly KeptSecret[],
): Promise<Written> {
  const { layout, before } = options;
  const { number } = numbers;
  const about = aboutOf(layout, number);
  try {
    await makeExactly(join(layout.store, String(number)), 0o751);
    const written = await writeValues(options, numbers, secrets);
    await writeFile(join(about, 'id'), `${id}\n`, { mode: 0o600 });
    await writeFile(join(about, 'digests'), digestLines(written.digests), { mode: 0o600 });
    await noteStamps(layout, number, written.digests.keys());
    for (const { name, path } of wantedOf(secrets, written.digests))
      await writeFile(join(about, `${name}.path`), `${path}\n`, { mode: 0o600 });
    before('the tellings');
    const digests = await digestsBefore(layout, numbers.old);
    const all = namedBy(secrets);
    await noteNamed(layout, number, all);
    const named = (numbers.old === null ? [] : await namedIn(layout, numbers.old)) ?? all;
    const told = digests === null ? [] : tellings(digests, written.digests, secrets, named);
    await noteTellings(layout, told, secrets);
    before('the swap');
    await swap(layout, number);
    return written;
  } catch (error) {
    // What cannot be removed either goes before the next set is written.
    await removeSet(layout, number).catch(() => undefined);
    throw error;
  }
}

/** Removes all that is placed. Where nothing ever was, it makes nothing. */
export async function placeNothing(options: PlaceOptions): Promise<Result<Placed>> {
  const { layout, before } = options;
  try {
    before('the removal of the link');
    await rm(layout.link, { force: true });
    const linked = await placeLinks(options, []);
    before('the removal of old sets');
    // Whatever became of links: who may not have a value any more must not find it by its number.
    await removeSets(layout);
    if (!linked.ok) return linked;
    await noteTellings(layout, [], []);
    if (await isInMemory(layout.run)) await writeFile(layout.none, '', { mode: 0o600 });
    return ok({ missing: [], problems: linked.value });
  } catch (error) {
    return fail(fileFailure(error, 'remove secrets', layout.store));
  }
}

/** What is to be done once the new set is shown: its links, and whatever becomes of them, the removal of the old one. */
async function afterSwap(
  options: PlaceOptions,
  { old, number }: Numbers,
  wanted: readonly Wanted[],
): Promise<Result<readonly string[]>> {
  const { layout, before } = options;
  try {
    before('the time of the swap');
    const time = `${process.hrtime.bigint() / 1000n}\n`;
    await writeFile(join(aboutOf(layout, number), 'swapped'), time, { mode: 0o600 });
    before('the links');
    return await placeLinks(options, wanted);
  } finally {
    before('the removal of old sets');
    if (old !== null) await pause(grace);
    await removeBefore(layout, number, []);
  }
}

/** The links of a set: one to nothing would have a program write its own value here. */
function wantedOf(secrets: readonly KeptSecret[], digests: ReadonlyMap<string, string>): readonly Wanted[] {
  return secrets.flatMap(({ name, path }) =>
    path === undefined || !digests.has(name) ? [] : [{ name, path }],
  );
}

interface Numbers {
  readonly old: number | null;
  readonly number: number;
}

interface Written extends Placed {
  /** Of the values that are there. */
  readonly digests: ReadonlyMap<string, string>;
}

async function writeValues(
  options: PlaceOptions,
  numbers: Numbers,
  secrets: readonly KeptSecret[],
): Promise<Written> {
  const { layout, before } = options;
  const find = finder(options);
  const about = aboutOf(layout, numbers.number);
  const old = (await digestsBefore(layout, numbers.old)) ?? new Map<string, string>();
  const digests = new Map<string, string>();
  const missing: Placed['missing'][number][] = [];
  const problems: string[] = [];
  for (const secret of secrets) {
    const { name } = secret;
    before(`the value of ${name}`);
    const { value, digest, cause } = await valueOf(options, numbers.old, old, secret);
    if (cause !== null) missing.push({ name, cause });
    if (value === null) {
      await writeFile(join(about, `${name}.why`), `${cause ?? ''}\n`, { mode: 0o600 });
      continue;
    }
    if (cause !== null) await writeFile(join(about, `${name}.why`), `${cause}\n`, { mode: 0o600 });
    digests.set(name, digest);
    const path = join(layout.store, String(numbers.number), name);
    await writeFile(path, value, { mode: 0o400, flag: 'wx' });
    const problem = await giveTo(path, secret, find);
    if (problem === null) continue;
    await noteOwner(about, name, secret);
    problems.push(ownerSentence(name, problem));
  }
  return { digests, missing, problems };
}

interface Found {
  readonly value: Uint8Array | null;
  readonly digest: string;
  /** Why it is not the value that its revision has. */
  readonly cause: string | null;
}

/** Its value, or the last good one: what the set before has of that name, in this boot (S14). */
async function valueOf(
  { layout, opener }: PlaceOptions,
  old: number | null,
  digests: ReadonlyMap<string, string>,
  secret: KeptSecret,
): Promise<Found> {
  const { name, value } = secret;
  const held = heldOf(secret);
  let cause = 'cause' in held ? held.cause : null;
  if (value !== undefined) {
    const opened = await opener.open(value.sealed, `the kept secret ${name}`);
    if (opened.ok) return { value: opened.value, digest: value.digest, cause };
    cause = opened.failure.cause;
  }
  const digest = digests.get(name);
  if (old === null || digest === undefined) return { value: null, digest: '', cause };
  // What somebody put in its place is no value of ours.
  if ((await changedIn(layout, old)).has(name)) return { value: null, digest: '', cause };
  const kept = await readFile(join(layout.store, String(old), name)).catch(() => null);
  return { value: kept, digest, cause };
}

function digestLines(digests: ReadonlyMap<string, string>): string {
  return [...digests].map(([name, digest]) => `${name} ${digest}\n`).join('');
}

/** What was placed before, in this boot; `null` when nothing is known of that. */
async function digestsBefore(layout: Layout, old: number | null): Promise<Map<string, string> | null> {
  if (old === null) return (await namesIn(layout.run)).includes(basename(layout.none)) ? new Map() : null;
  const text = await readFile(join(aboutOf(layout, old), 'digests'), 'utf8').catch(() => null);
  if (text === null) return null;
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line): [string, string] => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? '']));
}
