import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { StateRecord } from '../../shared/record/tip.ts';
import type { CloneEditor } from '../clone-ports.ts';
import { fleetRefs, readFleet } from '../fleet/read.ts';
import { goodRecord, sealedIn } from '../fleet/sealed-state.ts';
import { unknownHost } from './editing.ts';
import { openerOf, type With } from './sealing.ts';
import { troubles } from './troubles.ts';

/** A host's newest record, which is good, and the clone that it was found in. */
export interface StateOpening {
  readonly host: string;
  /** The fleet's id, as its authentic `fleet.yaml` has it. */
  readonly fleet: string;
  readonly record: StateRecord;
  readonly editor: CloneEditor;
}

/** The beginning of every command that shows what is sealed in a state branch. */
export async function openState({ args, context }: With): Promise<Result<StateOpening>> {
  const { roles, signal, terminal } = context;
  const opened = await roles.cloneEditor(signal);
  if (!opened.ok) return opened;
  const { clone } = opened.value;
  const fetched = args.flag('offline') ? ok(undefined) : await clone.fetch();
  if (!fetched.ok) return fetched;
  const refs = await fleetRefs(clone);
  if (!refs.ok) return refs;
  const snapshot = await readFleet(clone, refs.value);
  if (!snapshot.ok) return snapshot;
  for (const line of troubles(snapshot.value)) terminal.note(`autark: ${line}`);
  const host = args.positional('HOST') ?? '';
  const { fleet } = snapshot.value;
  if (!fleet.hosts.has(host) && !refs.value.states.has(host)) return fail(unknownHost(host));
  const record = goodRecord(snapshot.value, host);
  return record.ok ? ok({ host, fleet: fleet.fleet, record: record.value, editor: opened.value }) : record;
}

/** What a sealed file of the record says, opened with the keys of whoever runs this; `null` when there is no such file. */
export async function openSealed(
  { host, record, editor }: StateOpening,
  path: string,
  call: With,
): Promise<Result<Uint8Array | null>> {
  const sealed = await sealedIn(editor.clone, record, path);
  if (!sealed.ok || sealed.value === null) return sealed;
  const desk = await call.context.roles.secretDesk();
  const opener = await openerOf(desk, editor, call);
  if (!opener.ok) return opener;
  const opened = await opener.value.open(sealed.value, path);
  return opened.ok ? opened : fail(ofState(opened.failure, host, path));
}

/** What to do about a secret is to seal it anew; nobody but the host seals these. */
function ofState(failure: Failure, host: string, path: string): Failure {
  const where = `state/${host}, ${path}`;
  if (!/autark (rekey|secret set)/.test(failure.remedy)) return { ...failure, where };
  const remedy =
    'use the key of one of the fleet’s readers (`--identity FILE`); for others the host seals it anew by itself once ' +
    `fleet.yaml names them below readers; git log origin/state/${host} -- ${path} shows what earlier records hold`;
  return { ...failure, where, remedy };
}
