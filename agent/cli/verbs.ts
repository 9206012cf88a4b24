import { cloneVerbs } from './clone-verbs.ts';
import { hostVerbs } from './host-verbs.ts';
import type { OptionForm, Verb } from './verb.ts';

/** Options that every verb takes. */
export const globalOptions: Readonly<Record<string, OptionForm>> = {
  root: { value: 'DIR', describe: 'put every path of a host below DIR' },
  help: { describe: 'show this help' },
};

const ownVerbs: readonly Verb[] = [
  {
    name: 'completion',
    summary: 'Print a script that completes autark in your shell',
    positionals: [{ name: 'SHELL', describe: 'the shell', need: 'one', choices: ['bash', 'zsh', 'fish'] }],
    examples: [
      ['source <(autark completion bash)', 'in ~/.bashrc; with zsh in ~/.zshrc'],
      ['autark completion fish > ~/.config/fish/completions/autark.fish', 'once'],
    ],
    load: async () => (await import('./completion.ts')).completion,
  },
];

/** All verbs, in the order of the help. */
export const verbs: readonly Verb[] = [...hostVerbs, ...cloneVerbs, ...ownVerbs];
