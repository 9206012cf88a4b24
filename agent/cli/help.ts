import { type Terminal } from '../ports.ts';
import { type OptionForm, type PositionalForm, type Verb } from './verb.ts';
import { globalOptions, verbs } from './verbs.ts';

const widest = 100;

/** `autark --help`: what there is, one line a verb. */
export async function overview(terminal: Terminal): Promise<string> {
  const help = await page(terminal, 'autark VERB …\n\nEvery machine of a fleet rebuilds itself from Git.');
  for (const verb of verbs) help.command(callOf(verb).replace(/^autark /, ''), verb.summary);
  help.options(yargsOptions({ ...globalOptions, version: { describe: 'print the version' } }));
  return finish(await help.epilogue('autark VERB --help says more about one of them.').getHelp());
}

/** `autark VERB --help`: usage, options, examples, exit codes. */
export async function pageOf(verb: Verb, terminal: Terminal): Promise<string> {
  const positionals = (verb.positionals ?? []).map((form) => `\n  ${form.name}  ${form.describe}`).join('');
  const help = await page(
    terminal,
    `${callOf(verb)}\n\n${verb.summary}.${positionals && `\n${positionals}`}`,
  );
  help.options(yargsOptions({ ...verb.options, ...globalOptions }));
  for (const [command, meaning] of verb.examples ?? []) help.example(command, meaning);
  const exits = [
    [0, 'done'],
    [1, 'failed'],
    [2, 'used wrongly'],
  ] as const;
  const codes = verb.exits?.[0]?.[0] === 0 ? verb.exits : [...exits, ...(verb.exits ?? [])];
  const lines = codes.map(([code, meaning]) => `  ${String(code).padStart(2)}  ${meaning}`);
  return finish(await help.epilogue(`Exit codes:\n${lines.join('\n')}`).getHelp());
}

async function page(terminal: Terminal, text: string) {
  const { default: yargs } = await import('yargs');
  return yargs([])
    .scriptName('autark')
    .usage(text)
    .help(false)
    .version(false)
    .detectLocale(false)
    .exitProcess(false)
    .wrap(Math.min(terminal.width, widest))
    .updateStrings({ 'Commands:': 'Verbs:' });
}

function callOf(verb: Verb): string {
  const words = (verb.positionals ?? []).map(wordOf);
  return ['autark', verb.name, ...words].join(' ');
}

function wordOf({ name, need }: PositionalForm): string {
  if (need === 'one') return `<${name}>`;
  return need === 'any' ? `[${name}..]` : `[${name}]`;
}

function yargsOptions(options: Readonly<Record<string, OptionForm>>) {
  return Object.fromEntries(
    Object.entries(options).map(([name, { describe, value, choices }]) => {
      const shown = value === undefined ? describe : `${value}: ${describe}`;
      return [
        name,
        {
          describe: choices === undefined ? shown : `${choices.join(' or ')}: ${describe}`,
          ...(name === 'help' ? { alias: 'h' } : {}),
        },
      ];
    }),
  );
}

function finish(text: string): string {
  return `${text.trimEnd()}\n`;
}
