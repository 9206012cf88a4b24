import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { nearest } from '../../shared/fleet/name.ts';
import { usage, type Arguments, type OptionForm, type PositionalForm, type Verb } from './verb.ts';
import { globalOptions } from './verbs.ts';

/** A call that is understood. */
export interface Call {
  readonly args: Arguments;
  readonly root: string;
  readonly help: boolean;
}

/** The verb's name: the first word that is neither an option nor the value of `--root`. */
export function verbName(argv: readonly string[]): string | undefined {
  return argv.find((word, index) => !word.startsWith('-') && argv[index - 1] !== '--root');
}

/** Parses a verb's words, and says in one sentence what is wrong with them. */
export async function parse(verb: Verb, argv: readonly string[]): Promise<Result<Call>> {
  const options = { ...globalOptions, ...verb.options };
  const read = plainWords(options, argv) ?? (await wordsByYargs(options, argv));
  if (typeof read === 'string') return fail(usage(verb.name, read));
  const words = read;
  const positionals = (words['_'] as (string | number)[]).slice(1).map(String);
  const help = words['help'] === true;
  const given = Object.keys(words).filter((name) => !['_', '$0', 'h'].includes(name));
  const problem =
    firstProblem(verb, options, words, given) ?? (help ? undefined : positionalProblem(verb, positionals));
  if (problem !== undefined) return fail(problem);
  return ok({
    args: argumentsOf(verb, words, positionals),
    root: textOf(words['root']) ?? '/',
    help,
  });
}

/**
 * A call of nothing but names and flags, such as `status --json`, means the same to every parser, and yargs takes as
 * long to load as Node itself. `undefined` for any other call.
 */
function plainWords(
  options: Readonly<Record<string, OptionForm>>,
  argv: readonly string[],
): Readonly<Record<string, unknown>> | undefined {
  const dashed = argv.filter((word) => word.startsWith('-'));
  const flags = dashed.map((word) => word.replace(/^--/, ''));
  const isFlag = (name: string): boolean => options[name] !== undefined && options[name].value === undefined;
  if (new Set(flags).size !== flags.length || !flags.every(isFlag)) return undefined;
  // yargs takes these for the value of the flag before them.
  if (argv.some((word) => word === 'true' || word === 'false')) return undefined;
  const names = argv.filter((word) => !word.startsWith('-'));
  return { _: names, ...Object.fromEntries(flags.map((flag) => [flag, true])) };
}

/** The words as yargs reads them, or a sentence. */
async function wordsByYargs(
  options: Readonly<Record<string, OptionForm>>,
  argv: readonly string[],
): Promise<Readonly<Record<string, unknown>> | string> {
  const { default: yargs } = await import('yargs');
  try {
    return yargs([...argv])
      .options(Object.fromEntries(Object.entries(options).map(([name, form]) => [name, yargsOption(form)])))
      .alias('help', 'h')
      .help(false)
      .version(false)
      .detectLocale(false)
      .exitProcess(false)
      .parserConfiguration(plainParsing)
      .fail(raise)
      .parseSync();
  } catch (error) {
    return asSentence(error);
  }
}

/** Words mean what they say: no numbers, no camel case, no negation that nobody declared. */
const plainParsing = {
  'camel-case-expansion': false,
  'boolean-negation': false,
  'dot-notation': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'greedy-arrays': false,
  'duplicate-arguments-array': true,
};

function yargsOption(form: OptionForm) {
  if (form.value === undefined) return { type: 'boolean' as const };
  return { type: 'string' as const, requiresArg: true };
}

function raise(message: string, error: Error | undefined): never {
  throw error ?? new Error(message);
}

function asSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const missing = /^Not enough arguments following: (.*)$/.exec(message)?.[1];
  return missing === undefined ? message : `--${missing} needs a value`;
}

function firstProblem(
  verb: Verb,
  options: Readonly<Record<string, OptionForm>>,
  words: Readonly<Record<string, unknown>>,
  given: readonly string[],
): Failure | undefined {
  for (const name of given) {
    const form = options[name];
    if (form === undefined) return unknownOption(verb, options, name);
    const value = words[name];
    if (Array.isArray(value) && form.repeats !== true && form.value !== undefined)
      return usage(verb.name, `--${name} is given more than once`);
    if (form.choices !== undefined && !form.choices.includes(String(value))) {
      return usage(verb.name, `--${name} is ${form.choices.join(' or ')}, not ${String(value)}`);
    }
    if (form.value !== undefined && [value].flat().includes(''))
      return usage(verb.name, `--${name} needs a value`);
  }
  return undefined;
}

function unknownOption(verb: Verb, options: Readonly<Record<string, OptionForm>>, name: string): Failure {
  const dashes = name.length === 1 ? '-' : '--';
  const near = nearest(name, Object.keys(options));
  const hint = near === undefined ? undefined : `try --${near}`;
  return usage(verb.name, `${verb.name} has no option ${dashes}${name}`, hint);
}

function positionalProblem(verb: Verb, found: readonly string[]): Failure | undefined {
  const forms = verb.positionals ?? [];
  const missing = forms.filter(({ need }) => need === 'one' || need === 'some')[found.length];
  if (missing !== undefined) {
    return usage(verb.name, `${verb.name} needs ${missing.name}: ${missing.describe}`);
  }
  const isOpen = forms.some(({ need }) => need === 'any' || need === 'some');
  const extra = isOpen ? undefined : found[forms.length];
  if (extra !== undefined) return usage(verb.name, `${verb.name} has no use for “${extra}”`);
  return forms.map((form, index) => wrongChoice(verb, form, found[index])).find((each) => each !== undefined);
}

function wrongChoice({ name }: Verb, form: PositionalForm, found: string | undefined): Failure | undefined {
  const { choices } = form;
  if (choices === undefined || found === undefined || choices.includes(found)) return undefined;
  const near = nearest(found, choices);
  const hint = near === undefined ? undefined : `try autark ${name} ${near}`;
  return usage(name, `${form.name} is ${choices.join(' or ')}, not ${found}`, hint);
}

function argumentsOf(
  verb: Verb,
  words: Readonly<Record<string, unknown>>,
  found: readonly string[],
): Arguments {
  const forms = verb.positionals ?? [];
  return {
    positional: (name) => found[forms.findIndex((form) => form.name === name)],
    rest: found,
    flag: (name) => [words[name]].flat().includes(true),
    text: (name) => textOf(words[name]),
    texts: (name) => [words[name]].flat().filter((value) => typeof value === 'string'),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
