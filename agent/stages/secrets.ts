import type { BuiltSystem, Generation, Running } from '../../shared/cycle/journal.ts';
import { fail, ok, type Failure, type Result, type Stage } from '../../shared/failure.ts';
import type { Fleet } from '../../shared/fleet/fleet.ts';
import { missingOf, secretsFailure } from '../../shared/secrets/missing.ts';
import { sealedPath } from '../../shared/secrets/sealed.ts';
import type { Held, SealedSecret, Secret } from '../../shared/secrets/secret.ts';
import type { Context } from '../context.ts';
import { lookUp, readBytes } from '../objects/read.ts';
import type { Verified } from './verify.ts';

/**
 * Opens what a verified revision has sealed to this host (S12) and keeps it, sealed, for the generation: the id of the
 * set; `undefined` when there is no secret for this host. One that cannot be opened stops nothing (S14).
 */
export async function keepSecrets(
  context: Context,
  { fleet, tree }: Pick<Verified, 'fleet' | 'tree'>,
): Promise<Result<string | undefined>> {
  const mine = secretsOf(fleet, context.memory.journal.host);
  if (mine.length === 0) return ok(undefined);
  const sealed: SealedSecret[] = [];
  for (const secret of mine) {
    const read = await readSealed(context, tree, secret);
    if (!read.ok) return read;
    sealed.push(read.value);
  }
  const kept = await context.effects('build').secrets.keep(sealed);
  return kept.ok ? ok(kept.value?.id) : kept;
}

function secretsOf({ secrets }: Fleet, host: string): readonly Secret[] {
  return [...secrets.values()].filter(({ hosts }) => hosts.includes(host));
}

/** A value is no larger than what fits in memory many times over: 16 MiB, in bytes. */
const most = 16 * 2 ** 20;

async function readSealed(
  { effects, memory, settings }: Context,
  tree: string,
  { hosts: _, each, ...placing }: Secret,
): Promise<Result<SealedSecret>> {
  const { git } = effects('build');
  const file = sealedPath(placing.name, each ? memory.journal.host : undefined);
  const path = settings.dir === '.' ? file : `${settings.dir}/${file}`;
  const item = await lookUp(git, tree, path);
  if (!item.ok) return item;
  const isFile = item.value?.mode === '100644' || item.value?.mode === '100755';
  if (item.value === null || !isFile) return ok({ ...placing, file: path, sealed: null });
  const bytes = await readBytes(git, item.value.id, 'blob');
  if (!bytes.ok) return bytes;
  return ok({ ...placing, file: path, sealed: bytes.value.length > most ? 'too-large' : bytes.value });
}

/**
 * Has the secrets of what is about to be activated in their place, and those of anything else gone: before the activation,
 * so that what it starts finds them. What runs only from the next boot on opens its own then.
 */
export async function placeSecrets(
  context: Context,
  stage: 'switch' | 'rollback',
  { secrets }: Pick<BuiltSystem, 'secrets'>,
): Promise<Result<void>> {
  const placed = await context.effects(stage).secrets.place(secrets ?? null);
  if (placed.ok) {
    const { host } = context.memory.journal;
    const missing = placed.value.missing.map(({ name, cause }) => `the secret ${name}: ${cause}`);
    for (const message of [...missing, ...placed.value.problems]) {
      context.senses.log({ kind: 'warning', host, message });
    }
    return ok(undefined);
  }
  const { failure } = placed;
  context.senses.log({ kind: 'failure', host: context.memory.journal.host, stage, failure });
  // Nothing could be placed: `secretsFlaw` says that of the generation, and it stops it no more than one that cannot be opened.
  return failure.kind === 'secret-unopened' ? ok(undefined) : placed;
}

/**
 * After an activation: owners that it made get their files, and units whose values changed are told. The failure names a
 * unit that this machine does not know.
 */
export async function tellOfSecrets(
  context: Context,
  stage: 'switch' | 'rollback',
  { secrets }: Pick<BuiltSystem, 'secrets'>,
): Promise<Result<void>> {
  if (secrets === undefined) return ok(undefined);
  const store = context.effects(stage).secrets;
  await store.mend();
  return store.tellUnits();
}

/**
 * What is wrong with the secrets of a generation that runs (62); `undefined` when all is well. What is not in its place
 * is put there.
 */
export async function secretsFlaw(
  context: Context,
  { secrets, waitsIn }: Pick<Running, 'secrets' | 'waitsIn'>,
): Promise<Failure | undefined> {
  if (secrets === undefined) return undefined;
  const store = context.effects('record').secrets;
  const kept = await store.kept(secrets);
  if (!kept.ok) return unplaced(kept.failure);
  const missing = missingOf(kept.value.held);
  // What runs only from the next boot on has its secrets in their place only then.
  if (waitsIn !== undefined) return secretsFailure(missing, []);
  const placed = (await store.placed()) === secrets ? ok(undefined) : await store.place(secrets);
  return placed.ok ? secretsFailure(missing, await store.mend()) : unplaced(placed.failure);
}

/** Whatever kept the secrets of what runs from their place: to who needs them it is the same as one that does not open. */
export function unplaced(failure: Failure): Failure {
  return { ...failure, kind: 'secret-unopened' };
}

/** That failure as part of what happened. */
export function flawed(failure: Failure | undefined): { readonly failure?: Failure; readonly stage?: Stage } {
  return failure === undefined ? {} : { failure, stage: 'switch' };
}

/** What a status says of a host's secrets. */
export async function heldBy(
  context: Context,
  running: Pick<BuiltSystem, 'secrets'> | null,
): Promise<readonly Held[]> {
  if (running?.secrets === undefined) return [];
  const kept = await context.effects('record').secrets.kept(running.secrets);
  return kept.ok ? kept.value.held : [];
}

/** A host that is retired has no secret any more, neither placed nor kept. */
export async function forgetSecrets(context: Context): Promise<Result<void>> {
  const store = context.effects('record').secrets;
  const gone = await store.place(null);
  if (!gone.ok && gone.failure.kind !== 'secret-unopened') return fail(gone.failure);
  await store.prune([]);
  return ok(undefined);
}

/** Removes what no generation needs. */
export async function tidySecrets(
  context: Context,
  generations: readonly Pick<Generation, 'secrets'>[],
): Promise<void> {
  const { running, unproved } = context.memory.journal;
  const named = [...generations, running, unproved?.running].map((each) => each?.secrets);
  await context.effects('record').secrets.prune(named.filter((each) => each !== undefined));
}
