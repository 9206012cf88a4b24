import { httpAccess } from './access.ts';
import { parseRemote } from './remote.ts';

/** The names by which git knows the remotes, so that no URL is ever an argument. */
export type RemoteName = 'autark' | 'autark-state';
export type Remotes = Readonly<{ autark: string } & Partial<Record<RemoteName, string>>>;

/** The file, beside `config`, that says what to send to http servers. */
export const accessFile = 'access.config';

/**
 * The whole configuration of the agent's Git directory (git-config(1)): exact, checked when fetched (S7), never
 * maintained behind our back, no hooks, no helpers, and no transport that runs programs of the URL's choice.
 * No redirect is followed: it would lead where nobody said that the fleet is.
 */
export function gitConfig(remotes: Remotes): string {
  return [
    '# Written by autark; changes are overwritten.',
    ...section('core', {
      repositoryFormatVersion: '0',
      bare: 'true',
      logAllRefUpdates: 'false',
      hooksPath: '/dev/null',
      // A power cut leaves no empty object behind, which no later fetch would mend.
      fsync: 'all',
      // Within what one git may take (command.ts), however large the packs and however many the processors.
      packedGitWindowSize: '64m',
      packedGitLimit: '1g',
    }),
    ...section('pack', { threads: '2' }),
    ...section('protocol', { version: '2', allow: 'never' }),
    ...['file', 'ssh', 'git', 'http', 'https'].flatMap((name) =>
      section(`protocol "${name}"`, { allow: 'always' }),
    ),
    ...section('transfer', { fsckObjects: 'true' }),
    ...section('fetch', { fsckObjects: 'true', writeCommitGraph: 'false', recurseSubmodules: 'false' }),
    ...section('fetch "fsck"', harmless),
    ...section('submodule', { recurse: 'false' }),
    ...section('push', { useForceIfIncludes: 'false', recurseSubmodules: 'no', gpgSign: 'false' }),
    ...section('gc', { auto: '0' }),
    ...section('maintenance', { auto: 'false' }),
    ...section('credential', { helper: '' }),
    ...section('http', { followRedirects: 'false' }),
    ...section('include', { path: accessFile }),
    ...Object.entries(remotes).flatMap(([name, remote]) =>
      section(`remote "${name}"`, { url: parseRemote(remote).url, tagOpt: '--no-tags' }),
    ),
    '',
  ].join('\n');
}

/**
 * What old versions of git and of other tools wrote into histories that nobody can rewrite any more, as forges let it
 * pass too (git-fsck(1), FSCK MESSAGES). Nothing rests on it: what is deployed goes through our own, strict parsers.
 */
const harmless = {
  badTimezone: 'ignore',
  missingSpaceBeforeDate: 'ignore',
  zeroPaddedFilemode: 'ignore',
};

/**
 * What http servers are sent, each for its own address. The token is for the server of `remote`: another one gets
 * only what its own URL says. In a file, for argv can be read by everybody on the machine.
 */
export function accessConfig(remotes: Remotes, token: string | undefined): string {
  const { origin } = parseRemote(remotes.autark);
  const sections = Object.values(remotes).flatMap((remote) => {
    const parsed = parseRemote(remote);
    const access = httpAccess(remote, parsed.origin === origin ? token : undefined);
    if (access === undefined) return [];
    // The empty one takes back what a shorter address, such as that of the other remote, was given.
    const header = `Authorization: ${access.authorization}`;
    return [
      ...section(`http ${quoted(parsed.url)}`, { extraHeader: '' }),
      `\textraHeader = ${quoted(header)}`,
    ];
  });
  return ['# Written by autark; changes are overwritten.', ...sections, ''].join('\n');
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

function section(name: string, values: Readonly<Record<string, string>>): string[] {
  return [`[${name}]`, ...Object.entries(values).map(([key, value]) => `\t${key} = ${quoted(value)}`)];
}

function quoted(value: string): string {
  const escaped = value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return `"${escaped}"`;
}
