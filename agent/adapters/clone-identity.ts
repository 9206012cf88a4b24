import type { CloneSurroundings } from './clone-git.ts';

type Env = CloneSurroundings['env'];
type Config = ReadonlyMap<string, string>;

export interface Identity {
  readonly name: string;
  readonly email: string;
  /** Since the epoch. */
  readonly seconds: number;
  readonly zone: string;
}

/**
 * Author and committer: what the environment says, what git's configuration says, else what can be told from
 * the key. A commit never fails for lack of a name.
 */
export function identityOf(
  env: Env,
  config: Config,
  owner: string,
): { author: Identity; committer: Identity } {
  const seconds = Math.floor(Date.now() / 1000);
  const email = owner.includes('@') ? owner : `${owner}@localhost`;
  const name = owner.split('@')[0] ?? owner;
  const by = (role: 'AUTHOR' | 'COMMITTER', section: 'author' | 'committer'): Identity => ({
    name: clean(env[`GIT_${role}_NAME`] ?? config.get(`${section}.name`) ?? config.get('user.name') ?? name),
    email: clean(
      env[`GIT_${role}_EMAIL`] ?? config.get(`${section}.email`) ?? config.get('user.email') ?? email,
    ),
    seconds,
    zone: '+0000',
  });
  return { author: by('AUTHOR', 'author'), committer: by('COMMITTER', 'committer') };
}

/** What the person goes by in `allowed_signers`: one word, as ssh-keygen(1), ALLOWED SIGNERS, wants it. */
export function ownerOf(env: Env, config: Config, comment: string): string {
  const candidates = [
    env['GIT_AUTHOR_EMAIL'],
    config.get('user.email'),
    comment,
    `${env['USER'] ?? 'admin'}@localhost`,
  ];
  return (
    candidates.find((each) => each !== undefined && /^[A-Za-z0-9][A-Za-z0-9._%+@-]*$/.test(each)) ?? 'admin'
  );
}

/** Git's own rule: no line ends and no angle brackets in a name. */
function clean(text: string): string {
  const cleaned = text.replace(/[\n\0<>]/g, '').trim();
  return cleaned === '' ? 'admin' : cleaned;
}
