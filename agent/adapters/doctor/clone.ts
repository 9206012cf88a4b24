import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { HookFacts } from '../../../shared/doctor/clone.ts';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import type { Seen } from '../../../shared/doctor/remote.ts';
import type { Clone } from '../../clone-ports.ts';
import type { CloneProbe } from '../../doctor-ports.ts';
import { plainEnvironment, type CloneSurroundings } from '../clone-git.ts';
import { findAdminKey } from '../clone-key.ts';
import type { OpenedClone } from '../clone.ts';
import { gitFailure } from '../git/failures.ts';
import { runProcess } from '../process/run.ts';
import { ask, printed } from './programs.ts';
import { addressOf, headIn } from './remote.ts';

/** Milliseconds; a server that needs longer for a list of branches is ill. */
const patience = 20_000;

/** A person's clone as it is right now; nothing is fetched, and nothing written. */
export function cloneProbe(
  { clone, config, git, gitDirectory }: OpenedClone,
  { env, cwd }: Pick<CloneSurroundings, 'env' | 'cwd'>,
): CloneProbe {
  const plain = plainEnvironment(env);
  return {
    clone,
    config,
    async key() {
      const key = await findAdminKey(undefined, { env, config, cwd, gitDirectory });
      return key.ok ? ok(key.value.key) : key;
    },
    gitVersion: async (signal) => printed(await ask('git', ['version'], plain, signal)),
    async hook() {
      const asked = await git(['rev-parse', '--git-path', 'hooks/pre-push']);
      const said = asked.ok ? asked.value.toString('utf8').trim() : '';
      return hookAt(resolve(clone.root, said === '' ? '.git/hooks/pre-push' : said));
    },
    async remote(signal) {
      const { remote } = clone;
      if (remote === null) return null;
      const seen = await look(clone.root, remote, plain, signal);
      return { where: remote.url, seen };
    },
    addresses: addressesOf(clone, config),
  };
}

async function hookAt(path: string): Promise<HookFacts> {
  const text = await readFile(path, 'utf8').catch(() => null);
  const isExecutable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  return { path, text, isExecutable };
}

/**
 * In a session of its own, so that it can be ended whole; a program there has no terminal to ask on, and the remedy
 * says so.
 */
async function look(
  cwd: string,
  { name, url, branch }: NonNullable<Clone['remote']>,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Result<Seen>> {
  const ref = `refs/heads/${branch}`;
  const args = ['ls-remote', '--quiet', name, ref];
  const silent = { ...env, GIT_TERMINAL_PROMPT: '0', SSH_ASKPASS_REQUIRE: 'never' };
  const task = { file: 'git', args, cwd, env: silent, outputCap: 2 ** 20 } as const;
  const ran = await runProcess({ ...task, stdout: 'keep', leftovers: 'end' }, { timeout: patience, signal });
  if (ran.ending.how === 'exited' && ran.ending.code === 0)
    return ok({ head: headIn(Buffer.from(ran.stdout).toString('utf8'), ref) });
  const remedy =
    `mend that until \`git fetch ${name}\` works; if it does, and asks for a passphrase, all is well: doctor ` +
    'asks nobody, so load the key into an ssh-agent';
  const attempt = { doing: 'ls-remote', where: url, timeout: patience, kind: 'unreachable', remedy } as const;
  return fail({ ...gitFailure(ran, attempt), remedy });
}

function addressesOf({ remote }: Clone, config: ReadonlyMap<string, string>): CloneProbe['addresses'] {
  if (remote === null) return null;
  const at = (name: string): string => config.get(`remote.${name}.url`) ?? remote.url;
  const states = config.get('autark.stateremote') ?? remote.name;
  return { fetched: addressOf(at(remote.name)), pushed: addressOf(at(states)) };
}
