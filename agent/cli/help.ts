import { table, type Cell } from '../../shared/fleet-view/table.ts';
import type { Terminal } from '../clone-ports.ts';
import type { OptionForm, PositionalForm, Verb } from './verb.ts';
import { globalOptions, verbs } from './verbs.ts';

/** `autark --help`: what there is, one line a verb. */
export function overview(terminal: Terminal): string {
  const options = { ...globalOptions, version: { describe: 'print the version' } };
  return page([
    'autark VERB …',
    'Every machine of a fleet rebuilds itself from Git.',
    section(
      'Verbs',
      verbs.map((verb) => [callOf(verb), verb.summary]),
      terminal,
    ),
    section('Options', optionRows(options), terminal),
    'autark VERB --help says more about one of them.',
  ]);
}

/** `autark VERB --help`: usage, options, examples, exit codes. */
export function pageOf(verb: Verb, terminal: Terminal): string {
  const positionals = (verb.positionals ?? []).map((form): Row => [form.name, form.describe]);
  const shared = [
    [0, 'done'],
    [1, 'failed'],
    [2, 'used wrongly'],
  ] as const;
  const exits = verb.exits?.[0]?.[0] === 0 ? verb.exits : [...shared, ...(verb.exits ?? [])];
  return page([
    `autark ${callOf(verb)} [options]`,
    `${verb.summary}.`,
    section('Arguments', positionals, terminal),
    section('Options', optionRows({ ...verb.options, ...globalOptions }), terminal),
    section('Examples', verb.examples ?? [], terminal),
    section(
      'Exit codes',
      exits.map(([code, meaning]): Row => [String(code).padStart(2), meaning]),
      terminal,
    ),
  ]);
}

type Row = readonly [name: string, meaning: string];

function page(paragraphs: readonly string[]): string {
  return paragraphs
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => `${paragraph.trimEnd()}\n`)
    .join('\n');
}

/** Meanings are kept whole on a narrow terminal: it wraps them, and nothing is lost. */
function section(title: string, rows: readonly Row[], { colour }: Terminal): string {
  if (rows.length === 0) return '';
  const cells = rows.map((row) =>
    row.map((text, index): Cell => ({ text: index === 0 ? `  ${text}` : text })),
  );
  return `${title}:\n${table(cells, { width: Infinity, colour })}`;
}

function callOf(verb: Verb): string {
  return [verb.name, ...(verb.positionals ?? []).map(wordOf)].join(' ');
}

function wordOf({ name, need, choices }: PositionalForm): string {
  if (need === 'one') return choices?.join('|') ?? name;
  if (need === 'some') return `${name}…`;
  return need === 'any' ? `[${name}…]` : `[${name}]`;
}

function optionRows(options: Readonly<Record<string, OptionForm>>): readonly Row[] {
  return Object.entries(options).map(([name, { describe, value, choices, repeats }]) => {
    const placeholder = choices?.join('|') ?? value;
    const dashes = name === 'help' ? '-h, --help' : `--${name}`;
    const word = placeholder === undefined ? dashes : `${dashes} ${placeholder}`;
    return [repeats === true ? `${word} …` : word, describe];
  });
}
