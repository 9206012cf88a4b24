/** What every fetch says, the agent's and that of a clone: exact refs, and nothing else happens (S7). */
export function fetchArguments(remote: string, ...refspecs: readonly string[]): string[] {
  return [
    'fetch',
    '--quiet',
    '--prune',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-auto-maintenance',
    '--no-recurse-submodules',
    '--no-show-forced-updates',
    remote,
    ...refspecs,
  ];
}
