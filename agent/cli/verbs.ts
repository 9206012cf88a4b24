import { cloneVerbs } from './clone-verbs.ts';
import { hostVerbs } from './host-verbs.ts';
import type { OptionForm, Verb } from './verb.ts';

/** Options that every verb takes. */
export const globalOptions: Readonly<Record<string, OptionForm>> = {
  root: { value: 'DIR', describe: 'put every path of a host below DIR' },
  help: { describe: 'show this help' },
};

/** All verbs, in the order of the help. */
export const verbs: readonly Verb[] = [...hostVerbs, ...cloneVerbs];
