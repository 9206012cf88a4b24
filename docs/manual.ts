import type { OptionForm, PositionalForm, Verb } from '../agent/cli/verb.ts';
import { globalOptions, verbs } from '../agent/cli/verbs.ts';
import { version } from '../shared/version.ts';

/**
 * The manual page, autark(1), from the definitions that the help is made from. In man(7) macros, as every reader of
 * manual pages understands them.
 */
export function manualPage(): string {
  return [
    `.TH AUTARK 1 "" "autark ${version}" "autark"`,
    '.SH NAME',
    'autark \\- every machine of a fleet rebuilds itself from Git',
    '.SH SYNOPSIS',
    ...verbs.flatMap((verb, index) => [
      ...(index === 0 ? [] : ['.br']),
      '.B autark',
      `.I ${escape(callOf(verb))}`,
    ]),
    '.SH DESCRIPTION',
    escape(
      'On each machine, the agent pulls the configuration and its own state from a Git repository, checks that it may be ' +
        'trusted, rebuilds the machine, and commits what it did. The verbs of a host are run as root on it, those of a ' +
        'clone by an admin in a clone of the fleet repository.',
    ),
    '.SH VERBS',
    ...verbs.flatMap(verbPart),
    '.SH OPTIONS OF EVERY VERB',
    ...optionParts(globalOptions),
    '.SH EXIT STATUS',
    escape(
      '0 done, 1 failed, 2 used wrongly, and for each verb what is named there. 130, 131 and 143 after SIGINT, SIGQUIT and SIGTERM.',
    ),
    '.SH ENVIRONMENT',
    ...item('NO_COLOR', 'nothing is coloured when it is set'),
    ...item('AUTARK_DEBUG', '1 adds debug lines to the log, and a stack trace to a bug'),
    ...item('JOURNAL_STREAM', 'when it is set, as systemd does, log lines are JSON'),
    '.SH FILES',
    ...item('/etc/autark/agent.yaml', 'which fleet, host and server a machine belongs to'),
    ...item('/var/lib/autark', 'what the agent keeps: its journal, its outbox, its generations'),
    ...item(
      'fleet.yaml, allowed_signers',
      'at the root of the fleet repository: what the hosts are, and who may sign',
    ),
    '.SH SEE ALSO',
    '.BR git (1),',
    '.BR ssh-keygen (1),',
    '.BR githooks (5)',
    '',
  ].join('\n');
}

function verbPart(verb: Verb): readonly string[] {
  const { summary, positionals = [], options = {}, examples = [], exits = [] } = verb;
  return [
    `.SS ${escape(`autark ${callOf(verb)}`)}`,
    escape(`${summary}.`),
    ...positionals.flatMap(({ name, describe }) => item(name, describe)),
    ...optionParts(options),
    ...(exits.length === 0 ? [] : paragraph('Exit status:')),
    ...exits.flatMap(([code, meaning]) => item(String(code), meaning)),
    ...(examples.length === 0 ? [] : paragraph('Examples:')),
    ...examples.flatMap(([command, meaning]) => item(command, meaning)),
  ];
}

function optionParts(options: Readonly<Record<string, OptionForm>>): readonly string[] {
  return Object.entries(options).flatMap(([name, { value, choices, describe }]) => {
    const placeholder = choices?.join('|') ?? value;
    return item(placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`, describe);
  });
}

function callOf({ name, positionals = [] }: Verb): string {
  return [name, ...positionals.map(wordOf)].join(' ');
}

function wordOf({ name, need, choices }: PositionalForm): string {
  const word = choices?.join('|') ?? name;
  const several = need === 'any' || need === 'some' ? '…' : '';
  return need === 'optional' || need === 'any' ? `[${word}${several}]` : `${word}${several}`;
}

function item(term: string, text: string): readonly string[] {
  return ['.TP', `.B ${escape(term)}`, escape(text)];
}

function paragraph(text: string): readonly string[] {
  return ['.PP', escape(text)];
}

/** groff_man_style(7): a hyphen that is typed, a backslash, and a control character at the beginning of a line. */
function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replaceAll('’', '\\(cq')
    .replace(/^([.'])/, '\\&$1');
}
