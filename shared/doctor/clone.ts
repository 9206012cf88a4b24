import type { Failure, Result } from '../failure.ts';
import type { AuditFinding } from '../fleet-view/audit-finding.ts';
import type { HostView } from '../fleet-view/host-state.ts';
import { failureOf } from '../fleet/findings.ts';
import type { Finding, Fleet } from '../fleet/fleet.ts';
import { isObjectId, type ObjectId } from '../objects/object.ts';
import { parseAllowedSigners } from '../trust/allowed-signers.ts';
import { signersProblems } from '../trust/signers-problems.ts';
import { advice, notWell, trouble, unknown, well, type Checked } from './checked.ts';

/** The oldest git that signs with SSH keys. */
const oldestGit = [2, 34] as const;

/** @param version what `git version` printed; `null` when there was no answer */
export function checkGit(version: string | null): readonly Checked[] {
  const found = /(\d+)\.(\d+)/.exec(version ?? '');
  if (version === null || found === null) return [unknown('git', '`git version` names no version')];
  const [major, minor] = [Number(found[1]), Number(found[2])];
  const isOld = major < oldestGit[0] || (major === oldestGit[0] && minor < oldestGit[1]);
  const name = version.trim();
  if (!isOld) return [well('git', name)];
  const needed = oldestGit.join('.');
  const cause = `${name} is too old to sign with an SSH key: ${needed} is the first that can`;
  return [notWell('git', trouble(cause, 'git version', `install git ${needed} or newer`))];
}

/** What `join` sets. */
const signing = [
  ['gpg.format', (value: string) => value === 'ssh'],
  ['user.signingkey', (value: string) => value !== ''],
  ['commit.gpgsign', (value: string) => /^(true|yes|on|1)$/i.test(value)],
  ['gpg.ssh.allowedsignersfile', (value: string) => value !== ''],
] as const;

/** @param config git's configuration as it stands for this clone; keys in lower case */
export function checkSigning(config: ReadonlyMap<string, string>): readonly Checked[] {
  const missing = signing.filter(([key, isRight]) => !isRight(config.get(key) ?? '')).map(([key]) => key);
  if (missing.length === 0) return [well('signing', 'git signs each commit with an SSH key')];
  const cause = `git does not sign commits here as hosts need it: ${missing.join(', ')} not set`;
  return [notWell('signing', trouble(cause, 'git config', 'run `autark join`'))];
}

/** @param signers `allowed_signers` at the clone's head; `null` when there is none */
export function checkAdmins(signers: string | null, key: Result<string>): readonly Checked[] {
  if (signers === null) {
    const cause = 'the checked-out commit has no allowed_signers: nobody may sign';
    return [notWell('allowed_signers', trouble(cause, 'allowed_signers', 'run `autark init`, or pull'))];
  }
  const keys = new Set(parseAllowedSigners(signers).admins.map((admin) => admin.key));
  const slips = signersProblems(signers).map((problem) => notWell('allowed_signers', problem));
  const granted = slips.length > 0 ? [] : [well('allowed_signers', `${keys.size} may sign`)];
  return [...checkOwnKey(key, keys), ...slips, ...granted, ...spare(keys.size)];
}

function checkOwnKey(key: Result<string>, keys: ReadonlySet<string>): readonly Checked[] {
  if (!key.ok) return [notWell('key', key.failure)];
  if (keys.has(key.value)) return [well('key', 'your key may sign')];
  return [
    notWell('key', {
      kind: 'not-authentic',
      cause: 'your key is not in allowed_signers: hosts refuse what you sign',
      where: key.value,
      remedy:
        'have an admin run `autark admin add NAME --key FILE.pub`, or name the right key: `autark join --key FILE`',
    }),
  ];
}

function spare(keys: number): readonly Checked[] {
  if (keys === 0) return [];
  if (keys > 1) return [well('admins', `${keys} keys: losing one loses nothing`)];
  return [
    advice('admins', {
      cause: 'a single key may sign: if it is lost, no host can ever be changed again',
      where: 'allowed_signers',
      remedy:
        'make a second one (ssh-keygen -t ed25519), keep it offline, and run `autark admin add NAME --key FILE.pub`',
    }),
  ];
}

export interface HookFacts {
  readonly path: string;
  /** What is in it; `null` when it is not there. */
  readonly text: string | null;
  readonly isExecutable: boolean;
}

/** git passes over a hook that is not executable, with no more than a hint (githooks(5)). */
export function checkHook({ path, text, isExecutable }: HookFacts): readonly Checked[] {
  const checks = text?.split('\n').some((line) => /^[^#]*\bautark check\b/.test(line)) ?? false;
  if (text !== null && checks && isExecutable) return [well('hook', `${path} checks what is pushed`)];
  if (text !== null && checks)
    return [
      notWell('hook', trouble('git passes over a hook that is not executable', path, `chmod +x ${path}`)),
    ];
  const what = text === null ? 'there is no pre-push hook' : 'the pre-push hook does not run `autark check`';
  const cause = `${what}: what hosts would refuse can be pushed`;
  const remedy =
    text === null
      ? 'run `autark join`'
      : 'add a line with `autark check` to it, or move it away and run `autark join`';
  return [notWell('hook', trouble(cause, path, remedy))];
}

/** @param told what `git config autark.introduction` says; `null` for nothing */
export function checkIntroduction(told: string | null): readonly Checked[] {
  const where = 'git config autark.introduction';
  if (told !== null && isObjectId(told)) return [well('introduction', told)];
  const cause =
    told === null
      ? 'nobody told this clone where the fleet begins: it believes what the server first shows'
      : 'the introduction is not a commit of 40 digits';
  const remedy = 'ask an admin what `autark init` printed, and run `git config autark.introduction COMMIT`';
  return [notWell('introduction', trouble(cause, where, remedy))];
}

/** @param fleet of the clone's head; `null` when it has no such file */
export function checkFleetFile(fleet: Result<Fleet, readonly Finding[]> | null): readonly Checked[] {
  if (fleet === null) {
    const remedy = 'run `autark init` for a new fleet; else pull, or switch to the branch of the fleet';
    return [notWell('fleet.yaml', trouble('the checked-out commit has no fleet.yaml', 'fleet.yaml', remedy))];
  }
  if (!fleet.ok) return fleet.failure.map((each) => notWell('fleet.yaml', failureOf([each])));
  const { hosts } = fleet.value;
  return [well('fleet.yaml', `${hosts.size} host${hosts.size === 1 ? '' : 's'}`)];
}

/** What a look at the branch as last fetched came to. */
export interface HeadFacts {
  readonly head: ObjectId;
  /** Why the head is not what hosts deploy; `null` when it is. */
  readonly stale: Failure | null;
  /** What is not well with the branch, or between hosts. */
  readonly findings: readonly AuditFinding[];
}

/** Whether hosts would take what the server has: what each of them would refuse is said here once. */
export function checkHead(facts: Result<HeadFacts>): readonly Checked[] {
  if (!facts.ok) return [unknown('head', `${facts.failure.cause}; ${facts.failure.remedy}`)];
  const { head, stale, findings } = facts.value;
  const others = findings
    .filter(({ cause }) => cause !== stale?.cause)
    .map((finding): Checked => ({ rule: 'head', is: 'not-well', finding: { ...finding, rule: 'head' } }));
  const refused = stale === null ? [] : [notWell('head', stale)];
  const found = [...refused, ...others];
  return found.length > 0 ? found : [well('head', `${head.slice(0, 7)} is authentic, as last fetched`)];
}

/** What `status` would say, in one line; hosts are named, as many as fit. */
export function checkHosts(views: Result<readonly HostView[]>): readonly Checked[] {
  if (!views.ok) return [unknown('hosts', `${views.failure.cause}; ${views.failure.remedy}`)];
  const ill = (['failed', 'held', 'silent'] as const).flatMap((state) => {
    const names = views.value.filter((view) => view.state === state).map(({ host }) => host);
    return names.length === 0 ? [] : [`${names.length} ${state} (${listed(names)})`];
  });
  if (ill.length === 0) return [well('hosts', 'none is failed, held or silent, as last fetched')];
  const failure: Failure = trouble(ill.join(', '), 'as last fetched', '`autark status` says why');
  return [notWell('hosts', failure)];
}

const most = 5;

function listed(names: readonly string[]): string {
  return names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')}, …`;
}
