import { existsSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import { buildArguments } from '../../../shared/nix/arguments.ts';
import { builtPath } from '../../../shared/nix/outputs.ts';
import { listenToNix, type NixListener, type NixProgress } from '../../../shared/nix/report.ts';
import type { Nix, NixOrder } from '../../nix-ports.ts';
import type { Programs } from '../../ports.ts';
import { flush } from '../seal.ts';
import { endStrays } from '../strays.ts';
import { exitOf, nixCommand, wordsOf } from './command.ts';
import type { HttpLogin } from '../git/access.ts';
import { gitConfigFile, writeCredentials } from './credentials.ts';
import { nixEnvironment } from './environment.ts';
import { setProfile } from './profile.ts';
import { findSuspect } from './suspect.ts';
import { inspectSystem } from './system.ts';

export interface NixPlace {
  /** A folder of Nix's own, absolute: caches and credentials. */
  readonly home: string;
  /** The system profile, absolute. */
  readonly profile: string;
  /** The link to the system that runs: `/run/current-system`, or below `--root`. */
  readonly currentSystem: string;
  /** Whence PATH, the store, proxies and certificates are taken; nothing else of it reaches Nix. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly programs: Programs;
  /** How git is to use ssh, for inputs. */
  readonly sshCommand: string;
  /** Read anew for each build: a token may have been renewed. */
  readonly login: () => Result<HttpLogin | undefined>;
}

/** Bytes of messages and logs after which a Nix is out of its mind; each builder has its own, lower bound. */
const outputCap = 2 ** 32;

/** Milliseconds between two looks at how far a build is. */
const lookEvery = 100;

/** The door to Nix: 2.8 and newer, with a store of its own or by way of its daemon. */
export function openNix(place: NixPlace): Nix {
  const { home, programs, env: surroundings } = place;
  const env = nixEnvironment(home, place.sshCommand, surroundings);
  const searchPath = env['PATH'] ?? '';
  const run = nixCommand(home, env);
  const store = surroundings['NIX_STORE_DIR'] ?? '/nix/store';
  let isSwept = false;
  const prepare = async (): Promise<Result<void>> => {
    // A predecessor's Nix may still write to the profile, or hold locks in the store.
    if (!isSwept) await endStrays('HOME', home);
    isSwept = true;
    const login = place.login();
    return login.ok ? writeCredentials(home, login.value) : login;
  };
  return {
    identity: () => identityOf(searchPath),
    async build(order, bounds) {
      const ready = await prepare();
      if (!ready.ok) return ready;
      const { tree, attr, link, onStart } = order;
      const listener = listenToNix((path) => existsSync(join(tree.path, path)));
      const { ending, stdout } = await programs.run(
        {
          file: 'nix',
          args: buildArguments(tree, attr, link),
          cwd: home,
          env,
          outputCap,
          leftovers: 'end',
          onStart,
          onLine: tellProgress(listener, order),
        },
        bounds,
      );
      const path = ending.how === 'exited' && ending.code === 0 ? builtPath(stdout ?? '') : null;
      const flushed = path === null ? ok(undefined) : await flush(path, searchPath);
      return flushed.ok ? ok({ ending, report: listener.report(), path }) : flushed;
    },
    suspect: (tree, bounds) => findSuspect(run, { store, sample: join(home, gitConfigFile) }, tree, bounds),
    async isValid(path, bounds) {
      const ready = await prepare();
      if (!ready.ok) return ready;
      // Without `--print-invalid` its exit code would be the same for "not valid" and "cannot tell" (P4).
      const ran = await run('nix-store', ['--check-validity', '--print-invalid', path], bounds);
      if (exitOf(ran) !== 0) return fail(notAsked(path, wordsOf(ran)));
      return ok(Buffer.from(ran.stdout).toString('utf8').trim() === '');
    },
    inspect: (path) => inspectSystem(path),
    current: () => realpath(place.currentSystem).catch(() => null),
    async setProfile(path, bounds) {
      const ready = await prepare();
      return ready.ok ? setProfile({ profile: place.profile, searchPath, run }, path, bounds) : ready;
    },
  };
}

/** Passes lines on, and says now and then how far it is, when that has changed. */
function tellProgress(listener: NixListener, { onProgress }: NixOrder): (line: string) => void {
  let told: NixProgress = listener.progress();
  let lookedAt = -Infinity;
  return (line) => {
    listener.line(line);
    const now = performance.now();
    if (now - lookedAt < lookEvery) return;
    lookedAt = now;
    const progress = listener.progress();
    if (JSON.stringify(progress) === JSON.stringify(told)) return;
    told = progress;
    onProgress(progress);
  };
}

/** The program itself, as a path and a state: what it yields depends on nothing else of it. */
async function identityOf(searchPath: string): Promise<Result<string>> {
  for (const folder of searchPath.split(delimiter)) {
    const program = await realpath(join(folder, 'nix')).catch(() => null);
    if (program === null) continue;
    const { size, mtimeMs } = await stat(program);
    return ok(`${program} ${size} ${mtimeMs}`);
  }
  return fail(noNix(searchPath));
}

function noNix(searchPath: string): Failure {
  return {
    kind: 'build-failed',
    cause: 'there is no Nix on this machine, and its system is of kind nixos',
    where: `PATH ${searchPath}`,
    remedy: 'install Nix 2.8 or newer where the agent can find it, or make it a system of kind exec',
  };
}

function notAsked(path: string, said: string): Failure {
  return {
    kind: 'unexpected',
    cause: `Nix cannot say whether a path is valid: ${said}`,
    where: path,
    remedy:
      'look at the Nix store and its daemon (systemctl status nix-daemon); the agent tries again by itself',
  };
}
