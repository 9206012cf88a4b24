/** Below these, hosts and machines that wait have their branches. */
const reserved = /^(?:state|testing|enroll)(?:\/|$)/;

/** What git-check-ref-format(1) forbids anywhere in a name. */
const forbidden = /\.\.|@\{|\/\/|[\u0000-\u0020\u007f~^:?*[\\]/;

/**
 * Whether the configuration may be on a branch of this name: as git-check-ref-format(1) has it for
 * `refs/heads/NAME`, never an option, and not where the hosts write.
 */
export function isConfigurationBranch(name: string): boolean {
  if (name === '' || name.length > 200 || name === '@' || name === 'HEAD' || name.startsWith('-'))
    return false;
  if (forbidden.test(name) || reserved.test(name)) return false;
  return (
    name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock')) &&
    !name.endsWith('.')
  );
}

/** A program of its own does the work: `HELPER::ADDRESS`, and the two helpers that run or open what they are told. */
const helper = /^[A-Za-z0-9+.-]*::|^(?:ext|fd):/i;

/** A host that ssh would take for an option, in `ssh://` and in scp-like addresses. */
const optionHost = /^[A-Za-z0-9+.-]+:\/\/(?:[^/@]*@)*-|^[^/:]*@-/;

/**
 * The server's part of a URL (RFC 3986): a password with a raw `/` would end it too soon, and be taken for a path.
 * No Git server needs a query, and one may be a token: git would show it to everybody on the machine.
 */
const server = /^(?:ssh|git|https?):\/\/(?:[^/?#]*@)?(?:\[[^\]]*\]|[^/?#:@]+)(?::\d*)?(?:\/|$)/i;

/**
 * Whether Git may be given this address: no option, and none that names a remote helper
 * (gitremote-helpers(7)), since `ext::` runs any program. An IPv6 address may have `::` in it.
 */
export function isRemoteAddress(address: string): boolean {
  if (address.trim() === '' || address.length > 2000 || /[\u0000-\u001f\u007f]/.test(address)) return false;
  if (/^(?:ssh|git|https?):\/\//i.test(address) && !server.test(address)) return false;
  if (/^https?:/i.test(address) && /[?#]/.test(address)) return false;
  return !address.startsWith('-') && !helper.test(address) && !optionHost.test(address);
}

/** Whether git goes to this address by ssh: a URL that says so, or `[user@]server:path` (git-fetch(1), "GIT URLS"). */
export function isSshAddress(address: string): boolean {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return /^ssh:/i.test(address);
  // With a slash before the colon it is a path.
  return /^[^/]*:/.test(address);
}
