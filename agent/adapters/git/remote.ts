/** What a remote's URL says (git-fetch(1), "GIT URLS"), taken apart so that its secrets never reach argv. */
import { fileURLToPath } from 'node:url';

export interface Remote {
  /** Without a password: git hands this to its transport programs as an argument. */
  readonly url: string;
  /** Of an HTTP URL: scheme, host and port. */
  readonly origin?: string;
  /** Of an HTTP URL, decoded; absent when empty. */
  readonly user?: string;
  readonly password?: string;
}

/** Moves credentials out of an HTTP URL; drops the password of any other, for no transport uses it. */
export function parseRemote(remote: string): Remote {
  const parts = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/?#]*)@)?([^/?#@]*)(.*)$/is.exec(remote);
  if (parts === null) return { url: remote };
  const [, scheme = '', userinfo, host = '', rest = ''] = parts;
  const [user = '', ...password] = (userinfo ?? '').split(':');
  if (!/^https?$/i.test(scheme)) {
    return { url: userinfo === undefined ? remote : `${scheme}://${user}@${host}${rest}` };
  }
  const origin = `${scheme}://${host}`.toLowerCase();
  return { url: origin + rest, origin, ...named('user', user), ...named('password', password.join(':')) };
}

function named(name: 'user' | 'password', text: string): Partial<Remote> {
  return text === '' ? {} : { [name]: decoded(text) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The path behind a remote on this machine; `null` when it is elsewhere. */
export function localPath(remote: string): string | null {
  if (/^file:\/\//i.test(remote)) {
    try {
      return fileURLToPath(remote);
    } catch {
      return null;
    }
  }
  // `host:path` is ssh, unless a slash comes before the colon.
  return /^[a-z][a-z0-9+.-]*:/i.test(remote) || /^[^/]*:/.test(remote) ? null : remote;
}
