import { chmod, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { heldOf, type KeptSecret } from '../../../shared/secrets/kept-set.ts';
import { tellings } from '../../../shared/secrets/place-plan.ts';
import type { Opener, Placed } from '../../secret-ports.ts';
import { namesIn } from '../durable.ts';
import { errorCode, fileFailure } from '../file-failure.ts';
import { aboutOf, placedNumber, type Layout } from './layout.ts';
import { placeLinks } from './links.ts';
import { isInMemory, prepareMemory } from './memory.ts';
import { finder, giveTo, noteOwner, ownerSentence } from './owners.ts';
import { noteTellings } from './tell.ts';

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
 * What is told to units and which paths have links is written before the swap, and forgotten after it.
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
    const number = await takeNumber(layout);
    const about = aboutOf(layout, number);
    await makeExactly(join(layout.store, String(number)), 0o751);
    const written = await writeValues(options, { old, number }, secrets);
    await writeFile(join(about, 'id'), `${id}\n`, { mode: 0o600 });
    await writeFile(join(about, 'digests'), digestLines(written.digests), { mode: 0o600 });
    before('the tellings');
    const digests = await digestsBefore(layout, old);
    const changed = digests === null ? [] : tellings(digests, written.digests, secrets);
    await noteTellings(layout, changed, secrets);
    before('the swap');
    await swap(layout, number);
    before('the time of the swap');
    await writeFile(join(about, 'swapped'), `${process.hrtime.bigint() / 1000n}\n`, { mode: 0o600 });
    const linked = await linkSet(options, number, secrets, written.digests);
    if (!linked.ok) return linked;
    before('the removal of old sets');
    if (old !== null) await pause(grace);
    await removeOthers(layout, number);
    await writeFile(join(about, 'done'), '', { mode: 0o600 });
    return ok({ missing: written.missing, problems: [...written.problems, ...linked.value] });
  } catch (error) {
    return fail(fileFailure(error, 'place secrets', layout.store));
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
    await removeOthers(layout, null);
    if (!linked.ok) return linked;
    await noteTellings(layout, [], []);
    if (await isInMemory(layout.run)) await writeFile(layout.none, '', { mode: 0o600 });
    return ok({ missing: [], problems: linked.value });
  } catch (error) {
    return fail(fileFailure(error, 'remove secrets', layout.store));
  }
}

async function linkSet(
  options: PlaceOptions,
  number: number,
  secrets: readonly KeptSecret[],
  digests: ReadonlyMap<string, string>,
): Promise<Result<readonly string[]>> {
  options.before('the links');
  const wanted = secrets.flatMap(({ name, path }) =>
    // A link to nothing would have a program write its own value here.
    path === undefined || !digests.has(name) ? [] : [{ name, path }],
  );
  const about = aboutOf(options.layout, number);
  for (const { name, path } of wanted)
    await writeFile(join(about, `${name}.path`), `${path}\n`, { mode: 0o600 });
  return placeLinks(options, wanted);
}

/** One that nobody else has, also where an agent and a person place at once: whoever makes the folder has it. */
async function takeNumber(layout: Layout): Promise<number> {
  for (let number = 1 + Math.max(0, ...(await numbersIn(layout))); ; number += 1) {
    try {
      await makeExactly(aboutOf(layout, number), 0o700);
      return number;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** Whatever the umask is. */
async function makeExactly(path: string, mode: number): Promise<void> {
  await mkdir(path, { mode });
  await chmod(path, mode);
}

async function swap({ run, link }: Layout, number: number): Promise<void> {
  const draft = join(run, '.secrets.autark-new');
  await rm(draft, { force: true });
  await symlink(join('secrets.d', String(number)), draft);
  await rename(draft, link);
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
  const kept = await readFile(join(layout.store, String(old), name)).catch(() => null);
  return { value: kept, digest, cause };
}

function digestLines(digests: ReadonlyMap<string, string>): string {
  return [...digests].map(([name, digest]) => `${name} ${digest}\n`).join('');
}

/** What was placed before, in this boot; `null` when nothing is known of that. */
async function digestsBefore(layout: Layout, old: number | null): Promise<Map<string, string> | null> {
  if (old === null) return (await namesIn(layout.run)).includes(basename(layout.none)) ? new Map() : null;
  const text = await readFile(join(aboutOf(layout, old), 'digests'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line): [string, string] => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? '']));
}

async function numbersIn({ store }: Layout): Promise<readonly number[]> {
  const names = await namesIn(store);
  return names.map(numberOf);
}

/** Of a set's folder, or of the one beside it; 0 for what is no set's. */
function numberOf(name: string): number {
  return Number(/^(\d+)(?:\.about)?$/.exec(name)?.[1] ?? 0);
}

/** What came after this one is another's, who has not ended yet; what a crash left is always from before. */
async function removeOthers({ store }: Layout, number: number | null): Promise<void> {
  for (const name of await namesIn(store)) {
    if (number !== null && numberOf(name) >= number) continue;
    await rm(join(store, name), { recursive: true, force: true });
  }
}
