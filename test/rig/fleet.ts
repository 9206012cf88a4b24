import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { serialiseCommit, withSignature } from '../../shared/objects/commit.ts';
import { type PrivateKey, parsePrivateKey } from '../../shared/trust/ssh-key.ts';
import { signWith } from '../../shared/trust/sshsig.ts';
import { execHost } from './exec-system.ts';
import { must, run, type RanProgram } from './run.ts';
import { type FileChange, makeWorld, program, type World } from './world.ts';

export type Files = Readonly<Record<string, FileChange>>;

/** A commit to be made on the server itself, by whoever holds a key, or by nobody (`null`: unsigned). */
export interface Revision {
  readonly files?: Files;
  /** Whole trees made otherwise; `files` go on top. */
  readonly tree?: string;
  /** The server's branch if not given. */
  readonly parents?: readonly string[];
  readonly key?: PrivateKey | null;
  readonly subject?: string;
  /** Where it goes; `null` for nowhere. */
  readonly ref?: string | null;
}

/** The server's own hands: plain git in the bare repository, so that any history can be made of it. */
export interface Server {
  readonly git: (args: readonly string[], input?: string | Uint8Array) => Promise<string>;
  /** Makes a commit and moves the ref there, whatever it held. */
  commit(revision: Revision): Promise<string>;
  head(): Promise<string>;
}

export interface AgentOptions {
  readonly before?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One machine below its own root. */
export interface FleetHost {
  readonly name: string;
  readonly root: string;
  /** `autark agent --once`; `before` is put in front of the program, such as `faketime`. */
  agent(options?: AgentOptions): Promise<RanProgram>;
  /** `autark enroll --resume`. */
  resume(options?: AgentOptions): Promise<RanProgram>;
  /** Any other verb of a host, such as `hold`. */
  autark(args: readonly string[], options?: AgentOptions): Promise<RanProgram>;
  /** What its system shows, `null` before the first activation. */
  motd(): string | null;
  /** Every activation, oldest first: `MODE MOTD`. */
  activations(): readonly string[];
  /** Its state branch on the server, oldest first; empty when there is none. */
  records(): Promise<readonly StateCommit[]>;
  /** Names of files below its state folder. */
  state(folder: string): readonly string[];
  readonly path: (...parts: string[]) => string;
  /** What must stay as it is when a revision is refused: what runs, and what was ever activated. */
  running(): { readonly motd: string | null; readonly activations: readonly string[] };
  journal(): string;
}

/** A state commit as plain git shows it. */
export interface StateCommit {
  readonly id: string;
  readonly parents: readonly string[];
  readonly author: string;
  readonly committer: string;
  readonly subject: string;
  readonly body: string;
  /** As `git interpret-trailers --parse` gives them. */
  readonly trailers: Readonly<Record<string, string>>;
  readonly status: Status;
}

/** As much of `status.json` as tests look at; formats.md has it all. */
export interface Status {
  readonly seq: number;
  readonly at: string;
  readonly agent: { readonly version: string };
  readonly installation: string;
  readonly accepted: string | null;
  readonly head: string | null;
  readonly rebootRequired: boolean;
  readonly reports?: readonly string[];
  readonly system: { readonly generation: number; readonly revision: string; readonly path: string } | null;
  readonly outcome: {
    readonly event: string;
    readonly code: number;
    readonly attempted?: string;
    readonly phase?: string;
    readonly message?: string;
    readonly remedy?: string;
  };
}

export interface Fleet {
  readonly world: World;
  readonly server: Server;
  readonly admin: PrivateKey;
  readonly introduction: string;
  /** Enrols a machine; nobody has approved it yet. `place` tells its files from those of another of this name. */
  enrol(name: string, place?: string): Promise<FleetHost & { readonly fingerprint: string }>;
  /** The same, approved, with these options about its system instead of a build program. */
  join(name: string, system?: readonly string[]): Promise<FleetHost>;
  /** The machine of this name, whether it has enrolled or not. */
  at(name: string): FleetHost;
  /** Approves one that has enrolled. */
  approve(name: string, fingerprint: string, system?: readonly string[]): Promise<void>;
  /** `fleet.yaml` as the last approval left it, with these lines below the host's name. */
  fleetYaml(host: string, lines?: readonly string[]): string;
}

/** @param before what happens in the clone before the fleet is introduced, such as commits */
export async function makeFleet(
  name = 'autark-flow',
  before: (world: World) => Promise<unknown> = () => Promise.resolve(),
): Promise<Fleet> {
  const world = await makeWorld(name);
  await before(world);
  const introduction = (await world.mustAutark(['init', '--key', world.adminKey, '--push'])).trim();
  const admin = keyAt(world.adminKey);
  const server = serverOf(world, admin);
  let approved = '';
  const enrol = async (name: string, place = name) => {
    const root = world.root(place);
    const there = ['--root', root, '--remote', world.remote, '--host', name];
    const out = await world.mustAutark(['enroll', ...there, '--introduction', introduction]);
    return { ...hostAt(world, server, name, place), fingerprint: out.split('\n')[0] ?? '' };
  };
  const approve = async (
    name: string,
    fingerprint: string,
    system: readonly string[] = ['--system', 'exec', '--build', `hosts/${name}/build`],
  ): Promise<void> => {
    await world.git(['pull', '--quiet']);
    await world.mustAutark(['approve', name, '--fingerprint', fingerprint, ...system, '--yes', '--push']);
    approved = readFileSync(join(world.clone, 'fleet.yaml'), 'utf8');
  };
  return {
    world,
    server,
    admin,
    introduction,
    enrol,
    approve,
    at: (name) => hostAt(world, server, name),
    async join(name, system) {
      const host = await enrol(name);
      await approve(name, host.fingerprint, system);
      return host;
    },
    fleetYaml: (host, lines = []) =>
      approved.replace(`  ${host}:\n`, [`  ${host}:\n`, ...lines.map((line) => `    ${line}\n`)].join('')),
  };
}

/** A fleet of one exec host that runs `hello`; its state branch has two records. */
export async function makeDeployed(name?: string): Promise<Fleet & { readonly host: FleetHost }> {
  const fleet = await makeFleet(name);
  try {
    const host = await fleet.join('web1');
    await fleet.server.commit({ files: execHost('web1', 'hello'), subject: 'Say hello' });
    const { code, stderr } = await host.agent();
    if (code !== 0) throw new Error(`the first deployment failed: ${stderr}`);
    return { ...fleet, host };
  } catch (error) {
    await fleet.world.remove();
    throw error;
  }
}

export function keyAt(path: string): PrivateKey {
  const parsed = parsePrivateKey(readFileSync(path, 'utf8'));
  if (!parsed.ok) throw new Error(`${path} is not a private key`);
  return parsed.value;
}

function serverOf(world: World, admin: PrivateKey): Server {
  const env = { ...world.env, GIT_DIR: world.remote, GIT_INDEX_FILE: join(world.dir, 'server.index') };
  const git: Server['git'] = (args, input) =>
    must('git', args, { env, cwd: world.remote, ...(input === undefined ? {} : { input }) });
  const head = (): Promise<string> => git(['rev-parse', '--verify', 'refs/heads/main']);
  return {
    git,
    head,
    async commit({ files = {}, key = admin, subject = 'Change', ref = 'refs/heads/main', ...at }) {
      const parents = at.parents ?? [await head()];
      const base = at.tree ?? parents[0];
      const tree = await treeOf(git, base, files);
      const payload = serialiseCommit(commitOf(tree, parents, subject));
      const input = key === null ? payload : withSignature(payload, signWith(key, 'git', payload));
      // Literally: some of these commits are what git itself would not make.
      const id = await git(['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'], input);
      if (ref !== null) await git(['update-ref', ref, id]);
      return id;
    },
  };
}

/** Goes through an index only where files change: an index does not take every tree. */
async function treeOf(git: Server['git'], base: string | undefined, files: Files): Promise<string> {
  if (base !== undefined && Object.keys(files).length === 0) return git(['rev-parse', `${base}^{tree}`]);
  await git(base === undefined ? ['read-tree', '--empty'] : ['read-tree', base]);
  for (const [path, change] of Object.entries(files)) await stage(git, path, change);
  return git(['write-tree']);
}

function commitOf(tree: string, parents: readonly string[], subject: string) {
  const seconds = Math.floor(Date.now() / 1000);
  const who = { name: 'Alice', email: 'alice@example.org', seconds, zone: '+0000' };
  return { tree, parents, author: who, committer: who, message: `${subject}\n` };
}

async function stage(git: Server['git'], path: string, change: FileChange): Promise<void> {
  if (change === null) {
    await git(['update-index', '--index-info'], `0 ${'0'.repeat(40)}\t${path}\n`);
    return;
  }
  const text = typeof change === 'string' ? change : change.executable;
  const blob = await git(['hash-object', '-w', '--stdin'], text);
  const mode = typeof change === 'string' ? '100644' : '100755';
  await git(['update-index', '--add', '--cacheinfo', `${mode},${blob},${path}`]);
}

function hostAt(world: World, server: Server, name: string, place = name): FleetHost {
  const root = world.root(place);
  const path = (...parts: string[]): string => join(root, ...parts);
  const state = path('var/lib/autark');
  const autark = (args: readonly string[], { before = [], env = {} }: AgentOptions): Promise<RanProgram> => {
    const call = [...before, process.execPath, program, ...args, '--root', root];
    return run('env', call, { cwd: dirname(world.clone), env: { ...world.env, ...env } });
  };
  const textAt = (file: string): string | null => (existsSync(file) ? readFileSync(file, 'utf8') : null);
  return {
    name,
    root,
    path,
    agent: (options = {}) => autark(['agent', '--once'], options),
    resume: (options = {}) => autark(['enroll', '--resume'], options),
    autark: (args, options = {}) => autark(args, options),
    motd: () => textAt(path('etc/motd'))?.trimEnd() ?? null,
    activations: () => (textAt(path('activations')) ?? '').split('\n').filter((line) => line !== ''),
    records: () => recordsOf(server, name),
    running() {
      return { motd: this.motd(), activations: this.activations() };
    },
    journal: () => readFileSync(join(state, 'journal.json'), 'utf8'),
    state: (folder) => (existsSync(join(state, folder)) ? readdirSync(join(state, folder)).sort() : []),
  };
}

/** The state branch of a host on the server, oldest first. */
export async function recordsOf({ git }: Server, host: string): Promise<readonly StateCommit[]> {
  const ref = `refs/heads/state/${host}`;
  if ((await git(['for-each-ref', ref])) === '') return [];
  const format = ['%H', '%P', '%an <%ae>', '%cn <%ce>', '%s', '%b', '%(trailers:only,unfold)'].join('%x00');
  const out = await git(['log', '--first-parent', '--reverse', `--format=${format}%x01`, ref]);
  const commits = out
    .split('\u0001')
    .map((text) => text.trimStart())
    .filter((text) => text !== '');
  return Promise.all(
    commits.map(async (text) => {
      const [id = '', parents = '', author = '', committer = '', subject = '', body = '', trailers = ''] =
        text.split('\0');
      return {
        ...{ id, author, committer, subject, body },
        parents: parents.split(' ').filter((parent) => parent !== ''),
        trailers: parseTrailers(trailers),
        status: JSON.parse(await git(['show', `${id}:status.json`])) as Status,
      };
    }),
  );
}

/** The newest record; a failure when there is none. */
export async function newest(host: FleetHost): Promise<StateCommit> {
  const last = (await host.records()).at(-1);
  if (last === undefined) throw new Error(`${host.name} has no records on the server`);
  return last;
}

/** Lines of `KEY: VALUE`. */
export function parseTrailers(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').filter((line) => line !== '');
  return Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
}
