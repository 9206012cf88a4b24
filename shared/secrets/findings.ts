import type { Failure } from '../failure.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Difference } from './compare.ts';
import { nameOfKey } from './seen.ts';

const rekey = 'run `autark rekey`, and push what it commits';

/** Whoever renames a secret in `fleet.yaml` alone gets here, as well as whoever took it out. */
const kept =
  'a secret that has another name now needs its file renamed too (`git mv`), and then `autark rekey`; ' +
  'to delete the value: `autark rekey --remove-undeclared`';

/**
 * What is wrong with how a revision is sealed (21); `undefined` for what harms nobody.
 * @param fleets which name the keys, that of the revision first
 */
export function findingOfDifference(fleets: readonly Fleet[], difference: Difference): Failure | undefined {
  const cause = causeOf(fleets, difference);
  const remedy = difference.kind === 'undeclared' ? kept : rekey;
  return cause === undefined ? undefined : { kind: 'invalid', cause, where: difference.path, remedy };
}

function causeOf(fleets: readonly Fleet[], difference: Difference): string | undefined {
  const { path, kind } = difference;
  switch (kind) {
    case 'recipients':
      return `${path} is not sealed to whom fleet.yaml names: ${whoDiffers(fleets, difference)}`;
    case 'swapped':
      return `${path} is not the file that was sealed last: nobody knows which keys open it`;
    case 'undeclared':
      return `${path} is sealed, and no secret in fleet.yaml has it`;
    case 'absent':
      return `${path} was sealed, and the file is not there`;
    case 'no-value':
    case 'foreign':
      return undefined;
  }
}

/** The keys that a finding names. */
export function keysOfDifferences(differences: readonly Difference[]): readonly string[] {
  return differences.flatMap((each) =>
    each.kind === 'recipients' ? [...each.lacking, ...each.surplus] : [],
  );
}

function whoDiffers(
  fleets: readonly Fleet[],
  { lacking, surplus }: Pick<Extract<Difference, { kind: 'recipients' }>, 'lacking' | 'surplus'>,
): string {
  const names = (keys: readonly string[]) => keys.map((key) => nameOfKey(fleets, key)).join(', ');
  return [
    ...(lacking.length === 0 ? [] : [`${names(lacking)} cannot open it`]),
    ...(surplus.length === 0 ? [] : [`${names(surplus)} still can`]),
  ].join('; ');
}

/** What `rekey` says of a sealed file that no secret has any more, and that it left alone. */
export function keptLine(path: string): string {
  return `${path} is kept, though no secret in fleet.yaml has it: ${kept}.`;
}

/** What a host would get by without; `undefined` for everything else. */
export function warningOfDifference(difference: Difference): string | undefined {
  const { kind, path } = difference;
  if (kind === 'foreign')
    return `${path} is declared nowhere (fleet.yaml, secrets); declare it by \`autark secret import\`, or remove it`;
  if (kind !== 'no-value') return undefined;
  const { secret, host } = difference.file;
  const whose = host === undefined ? '' : ` --host ${host}`;
  return `the secret ${secret} has no value yet (${path}); set one: autark secret set ${secret}${whose}`;
}
