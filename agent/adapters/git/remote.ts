/** What a remote's URL says (git-fetch(1), "GIT URLS"), taken apart so that its secrets never reach argv. */
import { fileURLToPath } from 'node:url';
import { isSshAddress } from '../../../shared/fleet/git-names.ts';

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

/** RFC 3986; text that is not well encoded stays as it is. */
export function decoded(text: string): string {
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
  return /^[a-z][a-z0-9+.-]*:/i.test(remote) || isSshAddress(remote) ? null : remote;
}

export interface Server {
  readonly name: string;
  /** Absent where the address names none. */
  readonly port?: string;
  /** As `known_hosts` names it (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). */
  readonly knownAs: string;
}

/** The server that an address names, for what is said to people. */
export function serverOf(remote: string): Server {
  const url = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?(\[[^\]]*\]|[^/?#:]*)(?::(\d+))?/i.exec(remote);
  const [, name = '', port] = url ?? /^(?:[^/]*@)?(\[[^\]]*\]|[^/:]*):/.exec(remote) ?? [];
  const bare = name.replace(/^\[|\]$/g, '');
  return port === undefined || port === '22'
    ? { name: bare, knownAs: bare, ...(port === undefined ? {} : { port }) }
    : { name: bare, port, knownAs: `[${bare}]:${port}` };
}
