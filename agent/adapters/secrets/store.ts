import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { digestOf, heldOf, idOf, type KeptSecret } from '../../../shared/secrets/kept-set.ts';
import type { SealedSecret } from '../../../shared/secrets/secret.ts';
import type { Opener, Sealer, SecretStore } from '../../secret-ports.ts';
import { fileFailure } from '../file-failure.ts';
import { digestKeyIn } from './digest-key.ts';
import { keptIds, readKept, removeKept, writeKept } from './kept-files.ts';
import { aboutOf, layoutOf, placedNumber, type Layout } from './layout.ts';
import { mendPlaced, owesMending } from './mend.ts';
import { placeNothing, placeSet } from './place.ts';
import { changedIn } from './stamps.ts';
import { hasTellings, tellNoted } from './tell.ts';

export interface FileSecretsOptions {
  /** `/`, or the folder of `--root`, below which declared paths lie. */
  readonly root: string;
  /** `var/lib/autark`, absolute. */
  readonly state: string;
  /** `run/autark`, absolute; in memory. */
  readonly run: string;
  readonly opener: Opener;
  readonly sealer: Sealer;
  readonly env: Readonly<Record<string, string>>;
  readonly hasSystemd: boolean;
  /** True early in a boot, when only the files of users and groups can be asked. */
  readonly isEarly?: boolean;
  /** Called before each effect that a crash may come after. */
  readonly before?: (effect: string) => void;
}

/** Sealed below `state`, in the clear below `run`, which lies in memory (S13, S14). */
export function fileSecrets(options: FileSecretsOptions): SecretStore {
  const { root, state, run, env, hasSystemd, isEarly = false, before = () => undefined } = options;
  const layout = layoutOf(root, state, run);
  const placing = { ...options, layout, before, asksAll: hasSystemd && !isEarly };
  return {
    async keep(secrets) {
      if (secrets.length === 0) return ok(null);
      const digestKey = await digestKeyIn(layout.digestKey);
      if (!digestKey.ok) return digestKey;
      const set = await openAll(options.opener, digestKey.value, layout, secrets);
      const id = idOf(set);
      const written = await writeKept(layout.kept, id, set);
      return written.ok ? ok({ id, held: set.map(heldOf) }) : written;
    },
    async kept(id) {
      const set = await readKept(layout.kept, id);
      return set.ok ? ok({ id, held: set.value.map(heldOf) }) : set;
    },
    async placed() {
      const number = await placedNumber(layout).catch(() => null);
      return number === null ? null : idDone(layout, number);
    },
    async isDecided() {
      // Also where a value was altered since: what boots is decided, and an agent puts it back.
      const number = await placedNumber(layout);
      const isDone = number !== null && existsSync(join(aboutOf(layout, number), 'done'));
      return isDone || existsSync(layout.none);
    },
    async place(id) {
      if (id === null) return placeNothing(placing);
      const set = await readKept(layout.kept, id);
      return set.ok ? placeSet(placing, id, set.value) : set;
    },
    mend: () => mendPlaced(placing),
    owesMending: () => owesMending(layout),
    async owesTelling() {
      if (!hasSystemd || root !== '/') return false;
      return hasTellings(layout).catch(() => false);
    },
    async tellUnits() {
      if (!hasSystemd || root !== '/') return ok(undefined);
      try {
        return await tellNoted(layout, env);
      } catch (error) {
        return fail(fileFailure(error, 'tell units of new secrets', layout.tell));
      }
    },
    sealAnew: (recipients) => sealAllAnew(options, layout, recipients),
    async prune(ids) {
      const placed = await idOfPlaced(layout);
      for (const id of await keptIds(layout.kept).catch(() => []))
        if (!ids.includes(id) && id !== placed) await removeKept(layout.kept, id);
    },
  };
}

/** What the set that is placed is called, also where its placing was cut off. */
async function idOfPlaced(layout: Layout): Promise<string | null> {
  const number = await placedNumber(layout).catch(() => null);
  return number === null ? null : readWord(join(aboutOf(layout, number), 'id'));
}

/** `null` also where a value is gone, or another file is in its place. */
async function idDone(layout: Layout, number: number): Promise<string | null> {
  const about = aboutOf(layout, number);
  if ((await readWord(join(about, 'done'))) === null) return null;
  return (await changedIn(layout, number)).size > 0 ? null : readWord(join(about, 'id'));
}

async function readWord(path: string): Promise<string | null> {
  return readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
}

async function openAll(
  opener: Opener,
  digestKey: Uint8Array,
  layout: Layout,
  secrets: readonly SealedSecret[],
): Promise<readonly KeptSecret[]> {
  const last = await lastGood(layout);
  const set: KeptSecret[] = [];
  for (const { file, sealed, ...placing } of secrets) {
    const bytes = bytesIn(file, sealed);
    const opened = bytes.ok ? await openOne(opener, file, bytes.value) : bytes;
    if (opened.ok) {
      const digest = digestOf(digestKey, placing.name, opened.value.value);
      set.push({ ...placing, value: { sealed: opened.value.sealed, digest } });
      opened.value.value.fill(0);
      continue;
    }
    const { cause } = opened.failure;
    const value = last.get(placing.name);
    set.push({ ...placing, ...(value === undefined ? {} : { value }), cause });
  }
  return set;
}

/** The values of the set that is placed, sealed, by name. */
async function lastGood(layout: Layout): Promise<ReadonlyMap<string, NonNullable<KeptSecret['value']>>> {
  const id = await idOfPlaced(layout);
  const set = id === null ? null : await readKept(layout.kept, id);
  if (set === null || !set.ok) return new Map();
  return new Map(
    set.value.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const])),
  );
}

async function openOne(
  opener: Opener,
  file: string,
  sealed: Uint8Array,
): Promise<Result<{ readonly sealed: Uint8Array; readonly value: Uint8Array }>> {
  const opened = await opener.open(sealed, file);
  return opened.ok ? ok({ sealed, value: opened.value }) : opened;
}

/** What can be opened; else why nothing can. */
function bytesIn(file: string, sealed: SealedSecret['sealed']): Result<Uint8Array> {
  if (sealed !== null && sealed !== 'too-large') return ok(sealed);
  return fail({
    kind: 'secret-unopened',
    cause:
      sealed === null ? `the revision does not have ${file}` : `${file} is larger than what a host opens`,
    where: file,
    remedy: 'seal a value with `autark secret set`, or remove the secret from fleet.yaml',
  });
}

/**
 * One set after the other, each in one step; once more where it was cut off. A value that this host cannot open stays as
 * it is: it may be sealed to the new key already.
 */
async function sealAllAnew(
  { opener, sealer }: FileSecretsOptions,
  layout: Layout,
  recipients: readonly string[],
): Promise<Result<void>> {
  try {
    for (const id of await keptIds(layout.kept)) {
      const set = await readKept(layout.kept, id);
      if (!set.ok) return set;
      const anew: KeptSecret[] = [];
      for (const secret of set.value) {
        const { value, name } = secret;
        const opened = value && (await opener.open(value.sealed, `the kept secret ${name}`));
        if (value === undefined || opened === undefined || !opened.ok) {
          anew.push(secret);
          continue;
        }
        const sealed = await sealer.seal(opened.value, recipients);
        if (!sealed.ok) return sealed;
        anew.push({ ...secret, value: { ...value, sealed: Buffer.from(sealed.value) } });
      }
      const written = await writeKept(layout.kept, id, anew);
      if (!written.ok) return written;
    }
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'seal kept secrets anew', layout.kept));
  }
}
