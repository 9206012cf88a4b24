import type { Failure } from '../../../shared/failure.ts';
import { isSshAddress } from '../../../shared/fleet/git-names.ts';
import type { Access } from './access.ts';
import { serverOf, type Server } from './remote.ts';

/** What a failed git says, put so that an administrator knows the next step. */
export type Explanation = Pick<Failure, 'cause' | 'remedy'>;

/** The server that was talked to, and what this host brought. */
export interface Destination {
  /** The remote's address without credentials. */
  readonly where: string;
  readonly access: Access;
  /** Whether the address itself holds a user or password. */
  readonly hasLogin: boolean;
  /** `remote` or `stateRemote`. */
  readonly setting: string;
}

type Rule = readonly [RegExp, (said: RegExpExecArray, to: Place) => Explanation];

interface Place extends Destination {
  readonly server: Server;
}

/**
 * Explains by the words of git 2.39 and newer, OpenSSH, and curl with GnuTLS or OpenSSL; the first rule that fits
 * counts. Words decide here what is said and nothing else: whoever sends them may be the server.
 */
export function explain(said: string, to: Destination): Explanation | undefined {
  const place = { ...to, server: serverOf(to.where) };
  for (const [words, explanation] of rulesFor(to.where)) {
    const found = words.exec(said);
    if (found !== null) return explanation(found, place);
  }
  return undefined;
}

const again = 'the agent tries again by itself';

const ssh: readonly Rule[] = [
  [
    /fingerprint for the (\S+) key sent by the remote host is\s+(SHA256:\S+?)\.?\s[^]*has changed and you/,
    ([, type = '', print = ''], { server, access }) => ({
      cause: `the host key of ${server.name} is not the one known: it shows ${type} ${print}`,
      remedy:
        `ask the server's owner whether its key was changed and is this one; if so, remove the old one from ` +
        `${fileOf(access)} (ssh-keygen -R '${server.knownAs}' -f FILE) and add this one; if not, somebody stands in between`,
    }),
  ],
  [
    /No (\S+) host key is known for (\S+)/,
    ([, type = '', name = ''], { server, access }) => ({
      cause: `the server's ${type} host key is not known: ${name} is not in ${access.knownHosts.join(', ')}`,
      remedy:
        `ssh-keyscan ${server.port === undefined ? '' : `-p ${server.port} `}${server.name} >> ${fileOf(access)}, and ` +
        `compare the fingerprint (ssh-keygen -lf ${fileOf(access)}) with the one that the server's owner publishes`,
    }),
  ],
  [
    /Host key verification failed/,
    (_said, { access }) => ({
      cause: 'the server could not prove that it is who it was',
      remedy: `compare its host key with ${access.knownHosts.join(', ')}`,
    }),
  ],
  [
    /(?:Load key|UNPROTECTED PRIVATE KEY)[^]*Permission denied|Identity file (\S+) not accessible/,
    (_said, { access }) => ({
      cause: `ssh cannot use the key ${access.gitKey ?? 'of its user'}`,
      remedy:
        'name an SSH key without passphrase as gitKey in agent.yaml, mode 0600, and register its public half at the server',
    }),
  ],
  [
    /(?:Permission to \S+ denied|marked as read.only|not allowed to push|You are not allowed)[^\n]*/i,
    ([words = ''], { access }) => ({
      cause: `the server lets this host read, and not write: ${words}`,
      remedy: `give ${access.gitKey === undefined ? 'its key' : `the key ${access.gitKey}.pub`} write access to state/ and enroll/`,
    }),
  ],
  [
    /Permission denied \(([\w,-]+)\)/,
    ([, methods = ''], { access }) => ({
      cause: `the server refuses the key of this host (${methods})`,
      remedy:
        access.gitKey === undefined
          ? 'register the public key of the agent’s user at the server, or name a key as gitKey in agent.yaml'
          : `register ${access.gitKey}.pub at the server (cat shows it), with write access to state/ and enroll/`,
    }),
  ],
];

const http: readonly Rule[] = [
  [
    /^redirected to (\S+)$/m,
    ([, target = ''], { setting }) => ({
      cause: `the server points to another address: ${target}`,
      remedy: `if that is the fleet's, put it into agent.yaml as ${setting}; redirects are not followed`,
    }),
  ],
  [
    /returned error: (30[12378])\b/,
    ([, code = ''], { setting }) => ({
      cause: `the server points to another address (${code})`,
      remedy: `put the address that it points to into agent.yaml as ${setting}; redirects are not followed`,
    }),
  ],
  [
    /response 407|returned error: 407|Proxy CONNECT aborted|Unsupported proxy syntax|resolve proxy/,
    ([words = '']) => ({
      cause: `the proxy does not let us through: ${words}`,
      remedy:
        'correct http_proxy, https_proxy and no_proxy, user and password included, in the environment of the agent, and restart it',
    }),
  ],
  [
    /could not read (?:Username|Password) for '?([^'\s]*)|Authentication failed for/,
    ([, asking], place) =>
      asking !== undefined && serverOf(asking).knownAs !== place.server.knownAs
        ? {
            cause: `the proxy ${asking} asks for a user and a password`,
            remedy: 'put both into http_proxy or https_proxy in the environment of the agent, and restart it',
          }
        : unauthorized(place),
  ],
  [
    /returned error: 403/,
    (_said, { access }) => ({
      cause: 'the server refuses access (403)',
      remedy:
        access.tokenFile === undefined
          ? 'give the user or token of this host access to the repository, and look at what it may do there'
          : `give the token in ${access.tokenFile} access to the repository, or put another one there; ${again}`,
    }),
  ],
  [
    /returned error: (429|5\d\d)/,
    ([, code = '']) => ({
      cause: `the server has trouble of its own (${code})`,
      remedy: `look at its status and its logs; ${again}`,
    }),
  ],
  [
    /certificate verification failed|SSL certificate problem: [^\n]*|certificate subject name|no alternative certificate/i,
    ([words = '']) => ({
      cause: `the certificate of the server is not trusted: ${words}`,
      remedy:
        'look at this machine’s clock; add the authority that signed it to the machine’s certificates, or name its file as GIT_SSL_CAINFO in the environment of the agent',
    }),
  ],
  [
    /gnutls_handshake\(\) failed: [^\n]*|SSL_ERROR_\w+|SSL routines[^\n]*|wrong version number/,
    ([words = ''], { setting }) => ({
      cause: `no TLS connection comes about: ${words}`,
      remedy: `check address and port of ${setting} in agent.yaml: something else than https may answer there`,
    }),
  ],
];

const network: readonly Rule[] = [
  [
    /resolve host(?:name)?|unable to look up|Name or service not known|name resolution/,
    (_said, { server }) => ({
      cause: `the name ${server.name} cannot be resolved`,
      remedy: `check the spelling in agent.yaml, and the DNS of this machine (getent hosts ${server.name})`,
    }),
  ],
  [
    /Connection refused|Couldn't connect to server|Failed to connect/,
    (_said, { server }) => ({
      cause: `nothing takes connections at ${server.name}${server.port === undefined ? '' : `, port ${server.port}`}`,
      remedy: `check address and port in agent.yaml, the server, a firewall, and a proxy if one is set; ${again}`,
    }),
  ],
  [
    /timed out|timeout, server|Network is unreachable|No route to host/,
    ([words = ''], { server }) => ({
      cause: `${server.name} does not answer: ${words}`,
      remedy: `check the network of this machine, a firewall, and the server; ${again}`,
    }),
  ],
  [
    /does not appear to be a git repository|repository not exported|repository '[^']*' not found|Repository not found|No such (?:project|repository)/i,
    (_said, { where, setting, access }) => ({
      cause: `the server has no repository at ${where}, or hides it from this host`,
      remedy: `check the path of ${setting} in agent.yaml; many servers also say so to ${access.tokenFile === undefined ? 'whoever has' : 'a token that has expired or has'} no access`,
    }),
  ],
  [
    /reset by peer|Broken pipe|hung up|Connection closed by|Connection reset by|Empty reply|early EOF/i,
    (_said, { server }) => ({
      cause: `${server.name} ended the connection`,
      remedy: `look at its log: it may limit or ban this address, or have trouble; check address and port in agent.yaml; ${again}`,
    }),
  ],
  [
    /protocol error[^\n]*|HTTP\/0\.9|invalid format|bad band|expected flush|invalid server response|not valid: is this a git repository/i,
    (_said, { where, setting }) => ({
      cause: `what answers at ${where} does not speak as a Git server does`,
      remedy: `check ${setting} in agent.yaml, and what stands between: a proxy, a login page, another service; ${again}`,
    }),
  ],
];

function rulesFor(where: string): readonly Rule[] {
  if (isSshAddress(where)) return [...ssh, ...network];
  return /^https?:/i.test(where) ? [...http, ...network] : network;
}

function unauthorized({ access, hasLogin, setting }: Place): Explanation {
  const cause = 'the server asks who we are, and does not take what it was told (401)';
  if (hasLogin) return { cause, remedy: `correct the user and password in ${setting} in agent.yaml` };
  const { tokenFile } = access;
  return tokenFile === undefined
    ? { cause, remedy: 'name a file with a token as tokenFile in agent.yaml' }
    : { cause, remedy: `put a new token into ${tokenFile}: the one there is wrong or has expired; ${again}` };
}

/** Where a person would add a host key. */
function fileOf({ knownHosts }: Access): string {
  return knownHosts[0] ?? '~/.ssh/known_hosts';
}
