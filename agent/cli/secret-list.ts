import { fail, ok } from '../../shared/failure.ts';
import type { Fleet } from '../../shared/fleet/fleet.ts';
import { differences } from '../../shared/secrets/compare.ts';
import {
  findingOfDifference,
  keysOfDifferences,
  warningOfDifference,
} from '../../shared/secrets/findings.ts';
import { sealedFiles, type SealedFile } from '../../shared/secrets/sealed.ts';
import { nameOfKey } from '../../shared/secrets/seen.ts';
import { fleetsNaming } from '../fleet/past-fleets.ts';
import { sealedAtHead, type SealedTree } from '../fleet/sealed.ts';
import { openReading } from './editing.ts';
import { undeclared } from './secret-declare.ts';
import type { Act } from './verb.ts';

/** `autark secret list`: by names alone, nothing is opened. */
export const listSecrets: Act = async (args, context) => {
  const opened = await openReading(context);
  if (!opened.ok) return opened;
  const { editor, fleet } = opened.value;
  const tree = await sealedAtHead(editor.clone);
  if (!tree.ok) return tree;
  const name = args.positional('NAME');
  if (name !== undefined && !fleet.secrets.has(name)) return fail(undeclared(name));
  const secrets = sealedFiles(fleet)
    .filter(({ secret }) => name === undefined || secret === name)
    .map((file) => listed(fleet, file, tree.value));
  const found = differences(fleet, tree.value);
  const fleets = await fleetsNaming(editor.clone, [fleet], keysOfDifferences(found));
  const problems = found.flatMap((each) => {
    const finding = findingOfDifference(fleets, each);
    const cause = finding === undefined ? warningOfDifference(each) : `${finding.cause}; ${finding.remedy}`;
    return cause === undefined ? [] : [cause];
  });
  const { terminal } = context;
  if (args.flag('json')) terminal.out(JSON.stringify({ format: 1, secrets, problems }, null, 2));
  else {
    terminal.out(secrets.map(lineOf).join('\n'));
    for (const problem of problems) terminal.note(`autark: ${problem}`);
  }
  return ok(0);
};

interface Listed {
  readonly name: string;
  readonly host: string | null;
  readonly path: string;
  /** Who can open what is sealed now, by their names. */
  readonly opens: readonly string[];
  /** When the value was set; `null` where nobody can say, or none was. */
  readonly changed: string | null;
  /** Whether there is a sealed file. */
  readonly sealed: boolean;
}

function listed(fleet: Fleet, { secret, host, path }: SealedFile, { lock, digests }: SealedTree): Listed {
  const entry = digests.get(path) === lock.get(path)?.sha256 ? lock.get(path) : undefined;
  return {
    name: secret,
    host: host ?? null,
    path,
    opens: (entry?.recipients ?? []).map((key) => nameOfKey([fleet], key)).sort(),
    changed: entry === undefined ? null : new Date(entry.changed).toISOString(),
    sealed: digests.has(path),
  };
}

function lineOf({ name, host, opens, changed, sealed }: Listed): string {
  const unknown = sealed ? 'sealed by hand' : 'no value';
  const when = changed === null ? unknown : changed.replace(/\.000Z$/, 'Z');
  return `${host === null ? name : `${name} (${host})`}  ${when}  ${opens.join(', ')}`.trimEnd();
}
