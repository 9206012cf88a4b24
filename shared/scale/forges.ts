/** Where a repository is, as far as its load goes. */
export interface Address {
  /** The server's name; `null` for a repository on this machine. */
  readonly server: string | null;
  readonly transport: 'ssh' | 'http' | 'git' | 'local';
}

/** What a forge says that one repository or account may ask of it. */
export interface Limit {
  /** So many in so many seconds. */
  readonly count: number;
  readonly seconds: number;
  /** Whether it counts each fetch or push, or each http request that one is made of. */
  readonly of: 'operations' | 'requests';
  /** Whose they are, to follow "for". */
  readonly whose: string;
  /** Whether more is refused, or only advised against. */
  readonly isEnforced: boolean;
}

export interface Forge {
  readonly name: string;
  /** Where it publishes its limits, or would. */
  readonly page: string;
  readonly fetches: Limit | null;
  readonly pushes: Limit | null;
}

const everyAccount = 'one account, if all hosts use it';

/** As published on 2026-11-24; docs/scale.md quotes them, and says what is not published. */
function publishedBy(server: string, transport: Address['transport']): Forge | null {
  switch (server.toLowerCase()) {
    case 'github.com':
    case 'ssh.github.com':
      return {
        name: 'GitHub',
        page: 'https://docs.github.com/en/repositories/creating-and-managing-repositories/repository-limits',
        fetches: { count: 15, seconds: 1, of: 'operations', whose: 'one repository', isEnforced: false },
        pushes: { count: 6, seconds: 60, of: 'operations', whose: 'one repository', isEnforced: false },
      };
    case 'gitlab.com':
    case 'altssh.gitlab.com': {
      const limit: Limit =
        transport === 'ssh'
          ? { count: 600, seconds: 60, of: 'operations', whose: everyAccount, isEnforced: true }
          : { count: 10_000, seconds: 60, of: 'requests', whose: everyAccount, isEnforced: true };
      const page = 'https://docs.gitlab.com/user/gitlab_com/rate_limits/';
      return { name: 'GitLab.com', page, fetches: limit, pushes: limit };
    }
    case 'bitbucket.org':
    case 'altssh.bitbucket.org': {
      const limit = {
        count: 60_000,
        seconds: 3600,
        of: 'requests',
        whose: everyAccount,
        isEnforced: true,
      } as const;
      const page = 'https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/';
      return { name: 'Bitbucket Cloud', page, fetches: limit, pushes: limit };
    }
    case 'codeberg.org':
      return { name: 'Codeberg', page: 'https://docs.codeberg.org/', fetches: null, pushes: null };
    default:
      return null;
  }
}

/** The large forge behind an address; `null` for any other server, whose limits its owner knows. */
export function forgeAt({ server, transport }: Address): Forge | null {
  return server === null ? null : publishedBy(server, transport);
}
