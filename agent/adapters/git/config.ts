import { parseRemote } from './remote.ts';

/** The names by which git knows the remotes, so that no URL is ever an argument. */
export type RemoteName = 'autark' | 'autark-state';

/**
 * The whole configuration of the agent's Git directory (git-config(1)): exact, checked when fetched (S7), never
 * maintained behind our back, no hooks, no helpers, and no transport that runs programs of the URL's choice.
 */
export function gitConfig(remotes: Readonly<Partial<Record<RemoteName, string>>>): string {
  return [
    '# Written by autark; changes are overwritten.',
    ...section('core', {
      repositoryFormatVersion: '0',
      bare: 'true',
      logAllRefUpdates: 'false',
      hooksPath: '/dev/null',
    }),
    ...section('protocol', { version: '2', allow: 'never' }),
    ...['file', 'ssh', 'git', 'http', 'https'].flatMap((name) =>
      section(`protocol "${name}"`, { allow: 'always' }),
    ),
    ...section('transfer', { fsckObjects: 'true' }),
    ...section('fetch', { fsckObjects: 'true', writeCommitGraph: 'false', recurseSubmodules: 'false' }),
    ...section('submodule', { recurse: 'false' }),
    ...section('push', { useForceIfIncludes: 'false', recurseSubmodules: 'no', gpgSign: 'false' }),
    ...section('gc', { auto: '0' }),
    ...section('maintenance', { auto: 'false' }),
    ...section('credential', { helper: '' }),
    ...Object.entries(remotes).flatMap(([name, remote]) => remoteSections(name, remote)),
    '',
  ].join('\n');
}

/**
 * What only the user's own configuration may say. A local remote may belong to another user; git would refuse
 * to read it as us. All that runs with this file is git in our own directory and the server side of that one
 * remote, so the wildcard permits no more than its path would. It permits much, though: the remote's own
 * configuration and hooks run as this user when it is pushed to.
 */
export const protectedConfig = ['# Written by autark.', ...section('safe', { directory: '*' }), ''].join(
  '\n',
);

function remoteSections(name: string, remote: string): string[] {
  const { url, authorization, origin } = parseRemote(remote);
  const lines = section(`remote "${name}"`, { url, tagOpt: '--no-tags' });
  if (authorization === undefined || origin === undefined) return lines;
  // A redirect would carry the header to a host that nobody named.
  const header = { extraHeader: `Authorization: ${authorization}`, followRedirects: 'false' };
  return [...lines, ...section(`http ${quoted(origin)}`, header)];
}

function section(name: string, values: Readonly<Record<string, string>>): string[] {
  return [`[${name}]`, ...Object.entries(values).map(([key, value]) => `\t${key} = ${quoted(value)}`)];
}

function quoted(value: string): string {
  const escaped = value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return `"${escaped}"`;
}
