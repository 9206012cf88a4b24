import type { Failure } from '../failure.ts';
import { sealedPath } from './sealed.ts';
import type { Held } from './secret.ts';

/** What a host cannot show of its secrets. */
export type Missing = Extract<Held, { cause: string }>;

/** Those that could not be opened. */
export function missingOf(held: readonly Held[]): readonly Missing[] {
  return held.filter((each) => 'cause' in each);
}

/**
 * What a record says of a system that runs without some of its secrets (62); `undefined` when all is well.
 * @param problems of those that were opened, such as an owner that does not exist
 */
export function secretsFailure(
  missing: readonly Missing[],
  problems: readonly string[],
): Failure | undefined {
  const [first, ...others] = missing;
  if (first === undefined) return problems.length === 0 ? undefined : misplaced(problems);
  const names = others.map(({ name }) => name).join(', ');
  const more = others.length === 0 ? '' : `; nor can ${names}`;
  return {
    kind: 'secret-unopened',
    cause: `the secret ${first.name} cannot be opened: ${first.cause}${more}`,
    where: sealedPath(first.name),
    remedy:
      `look with \`autark secret list\`, then \`autark rekey\` or \`autark secret set ${first.name}\`, and push; ` +
      'what could be opened is in its place, and the last good value of the others',
    ...(missing.length + problems.length === 1 ? {} : { detail: detailOf(missing, problems) }),
  };
}

function misplaced(problems: readonly string[]): Failure {
  return {
    kind: 'secret-unopened',
    cause: problems[0] ?? '',
    where: 'fleet.yaml, secrets',
    remedy: 'correct the declaration, or make what it names part of the system, and push',
    ...(problems.length === 1 ? {} : { detail: detailOf([], problems) }),
  };
}

function detailOf(missing: readonly Missing[], problems: readonly string[]): string {
  return [...missing.map(({ name, cause }) => `${name}: ${cause}`), ...problems].join('\n');
}
