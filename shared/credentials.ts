/** A URL, as far as it goes in running text. */
const url = /([a-z][a-z0-9+.-]*:\/\/)([^\s'"<>]*)/gi;

/**
 * Text without the credentials of any URL in it (RFC 3986): passwords, queries and fragments, and with HTTP the user
 * as well, for there it may be a token. What is left of a URL can still be used: the user of `ssh://git@host/`
 * stays, and nothing stands in for what is gone. Of a query nobody can tell which of its values is secret, and no
 * Git server needs one.
 */
export function withoutCredentials(text: string): string {
  return text.replace(url, (_whole, scheme: string, rest: string) => {
    if (/^file:/i.test(scheme)) return scheme + rest;
    const end = endOfUserinfo(rest);
    const user = /^https?:/i.test(scheme) ? '' : (rest.slice(0, Math.max(end, 0)).split(':')[0] ?? '');
    const place = rest.slice(end + 1).replace(/[?#].*$/s, '');
    // URLs may follow each other without a blank.
    return `${scheme}${user === '' ? '' : `${user}@`}${withoutCredentials(place)}`;
  });
}

/** Where the `@` is, or -1. A password may hold a raw `@`, and one with a `/` shows in that its host has no port. */
function endOfUserinfo(rest: string): number {
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? '';
  const at = authority.lastIndexOf('@');
  const isHost = /^(\[[^\]]*\]|[^:]*)(:\d*)?$/.test(authority);
  return at < 0 && !isHost ? rest.lastIndexOf('@') : at;
}
