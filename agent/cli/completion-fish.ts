import {
  completedVerbs,
  listHosts,
  type CompletedOption,
  type CompletedVerb,
  type Expected,
} from './completion-words.ts';

/** For fish (complete(1)): `autark completion fish | source`. */
export function fishScript(): string {
  const verbs = completedVerbs();
  const names = verbs.map(({ name }) => name).join(' ');
  const none = `not __fish_seen_subcommand_from ${names}`;
  return [
    '# Completion of autark for fish: autark completion fish | source',
    `function __autark_hosts; ${listHosts}; end`,
    'complete -c autark -f',
    ...verbs.map(({ name, summary }) => `complete -c autark -n '${none}' -a ${name} -d ${quoted(summary)}`),
    ...verbs.flatMap(linesOf),
    '',
  ].join('\n');
}

function linesOf(verb: CompletedVerb): readonly string[] {
  const seen = `complete -c autark -n '__fish_seen_subcommand_from ${verb.name}'`;
  const positional = argumentsFor(verb.positional);
  return [
    ...verb.options.map((option) => `${seen} ${optionOf(option)}`),
    ...(positional === '' ? [] : [`${seen} ${positional}`]),
  ];
}

function optionOf({ word, describe, value }: CompletedOption): string {
  const name = `-l ${word.slice(2)} -d ${quoted(describe)}`;
  if (value === undefined) return name;
  return value === 'file' ? `-r -F ${name}` : `-x ${argumentsFor(value)} ${name}`;
}

function argumentsFor(expected: Expected): string {
  if (expected === 'host') return `-a '(__autark_hosts)'`;
  return typeof expected === 'string' ? '' : `-a '${expected.join(' ')}'`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
