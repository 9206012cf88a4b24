import type { OptionForm, PositionalForm, Verb } from './verb.ts';
import { globalOptions, verbs } from './verbs.ts';

/** What may stand behind a word. */
export type Expected = 'file' | 'host' | 'nothing' | readonly string[];

export interface CompletedOption {
  /** With its dashes. */
  readonly word: string;
  readonly describe: string;
  /** Absent for a flag. */
  readonly value?: Expected;
}

/** A verb as shells complete it. */
export interface CompletedVerb {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** What may follow that is no option. */
  readonly positional: Expected;
}

/** All verbs, as the help has them. */
export function completedVerbs(): readonly CompletedVerb[] {
  return verbs.map((verb) => ({
    name: verb.name,
    summary: verb.summary,
    options: Object.entries({ ...verb.options, ...globalOptions }).map(completed),
    positional: positionalOf(verb),
  }));
}

/**
 * Prints the hosts that this clone knows from their state branches, without asking anybody: in every shell the same
 * words. Whoever can push names branches, and a shell may run what it is given to complete: so names of hosts, and
 * nothing else.
 */
export const listHosts =
  "git for-each-ref --format='%(refname:lstrip=4)' 'refs/remotes/*/state/*' 2>/dev/null | " +
  "LC_ALL=C grep -xE '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'";

function completed([name, form]: readonly [string, OptionForm]): CompletedOption {
  const option = { word: `--${name}`, describe: form.describe };
  if (form.value === undefined && form.choices === undefined) return option;
  return { ...option, value: form.choices ?? (isPath(form.value) ? 'file' : 'nothing') };
}

function isPath(value: string | undefined): boolean {
  return value === 'FILE' || value === 'DIR';
}

/** The first one decides: no verb takes two kinds of them. */
function positionalOf({ positionals = [] }: Verb): Expected {
  const [first] = positionals;
  return first === undefined ? 'nothing' : expectedOf(first);
}

function expectedOf({ name, choices }: PositionalForm): Expected {
  if (choices !== undefined) return choices;
  return name === 'HOST' ? 'host' : 'nothing';
}
