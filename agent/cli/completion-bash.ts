import { completedVerbs, listHosts, type CompletedVerb, type Expected } from './completion-words.ts';

/** For bash (bash(1), Programmable Completion): `source <(autark completion bash)`. */
export function bashScript(): string {
  const verbs = completedVerbs();
  return `# Completion of autark for bash: source <(autark completion bash)
_autark() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} verb= at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case \${COMP_WORDS[at]} in
      --root) ((at++)) ;;
      -*) ;;
      *) verb=\${COMP_WORDS[at]}; break ;;
    esac
  done
  COMPREPLY=()
  case "$verb $before" in
${verbs.flatMap(valueCases).join('\n')}
  esac
  case $verb in
    '') _autark_words '${[...verbs.map(({ name }) => name), '--help', '--version', '--root'].join(' ')}' ;;
${verbs.map(verbCase).join('\n')}
  esac
}
_autark_words() { COMPREPLY+=($(compgen -W "$1" -- "$word")); }
_autark_files() { COMPREPLY+=($(compgen -f -- "$word")); }
_autark_hosts() {
  local host
  while read -r host; do
    case $host in "$word"*) COMPREPLY+=("$host") ;; esac
  done < <(${listHosts})
}
complete -o filenames -F _autark autark
`;
}

/** For zsh, by way of what it has for bash's scripts (zshcompsys(1), bashcompinit). */
export function zshScript(): string {
  return `# Completion of autark for zsh: source <(autark completion zsh)
autoload -U +X bashcompinit && bashcompinit
${bashScript()}`;
}

function valueCases({ name, options }: CompletedVerb): readonly string[] {
  return options.flatMap(({ word, value }) =>
    value === undefined ? [] : [`    '${name} ${word}') ${actionFor(value)} return ;;`],
  );
}

function verbCase({ name, options, positional }: CompletedVerb): string {
  const words = options.map(({ word }) => word).join(' ');
  return `    ${name}) case $word in -*) _autark_words '${words}' ;; *) ${actionFor(positional)} ;; esac ;;`;
}

function actionFor(expected: Expected): string {
  switch (expected) {
    case 'file':
      return '_autark_files;';
    case 'host':
      return '_autark_hosts;';
    case 'nothing':
      return ':;';
    default:
      return `_autark_words '${expected.join(' ')}';`;
  }
}
