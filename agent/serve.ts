import { isUncertain } from '../shared/cycle/guard.ts';
import { heldByHand } from '../shared/cycle/hold.ts';
import type { Running } from '../shared/cycle/journal.ts';
import { fail, ok, type Failure, type Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import { signalCode } from '../shared/signal.ts';
import { cycle } from './cycle.ts';
import { runDaemon, type CycleReport } from './daemon.ts';
import { hasDrifted } from './drift.ts';
import { stays, type AgentHost, type OpenedHost } from './host.ts';
import { openMemory } from './memory.ts';
import type { Wakes } from './newer.ts';
import { contextOf, settingsOf, type Opening } from './opening.ts';
import { through } from './seam.ts';
import { giveWay, hasSuccessor } from './succession.ts';
import { makeBell } from './wakes.ts';

/** How the agent was asked to run. */
export interface Service {
  readonly once: boolean;
  readonly signal: AbortSignal;
  /** Registers what SIGHUP does. */
  readonly onHangup: (listener: () => void) => void;
}

/** Runs one cycle, or the daemon until it is told to stop. Only one agent at a time serves a root (11). */
export async function serve(host: AgentHost, service: Service): Promise<Result<number>> {
  for (;;) {
    const served = await serveHere(host, service);
    if (!served.ok || !served.value.handsOver) return served.ok ? ok(served.value.code) : served;
    const code = await giveWay(host, service);
    if (code !== 'not yet') return ok(code);
  }
}

/** How this agent's service ended, and whether another agent is to go on. */
interface Served {
  readonly code: number;
  readonly handsOver: boolean;
}

async function serveHere(host: AgentHost, service: Service): Promise<Result<Served>> {
  const what = service.once ? 'autark agent --once' : stays;
  const unlock = await host.locks.acquire('daemon', { timeout: 0, signal: service.signal }, { what });
  if (!unlock.ok) return unlock;
  try {
    const settings = await settingsOf(host);
    if (!settings.ok) return settings;
    return service.once ? await serveOnce(host, service) : ok(await serveOn(host, service));
  } finally {
    await unlock.value();
  }
}

async function serveOnce(host: AgentHost, { signal }: Service): Promise<Result<Served>> {
  const keeper = keepOpen(host);
  try {
    let ran = await runCycle(host, keeper, signal);
    // A machine that took its new key begins anew with it.
    while (ran.ok && ran.value.next === 'again') ran = await runCycle(host, keeper, signal);
    if (!ran.ok) return ran;
    // A cycle that was cut short must not pass for a converged one.
    const isCutShort = signal.aborted && ran.value.next === 'stop';
    const code = isCutShort ? signalCode(signal.reason) : ran.value.code;
    return ok({ code, handsOver: ran.value.next === 'hand over' });
  } finally {
    await keeper.close();
  }
}

async function serveOn(host: AgentHost, { signal, onHangup }: Service): Promise<Served> {
  let interval = 60_000;
  const ending = { handsOver: false };
  const bell = makeBell(() => interval);
  const request = (): void => {
    bell.request();
  };
  onHangup(request);
  let isBusy = false;
  let moves = 0;
  const watch = async (settings: AgentSettings) => {
    const ends = await Promise.all([
      host.watchRemote(settings, request),
      // While a cycle runs it is mostly the agent itself that moves them: that is told when it has ended.
      host.watchLinks(settings, () => {
        moves += 1;
        if (!isBusy) request();
      }),
    ]);
    return async () => {
      await Promise.all(ends.map((end) => end()));
    };
  };
  const keeper = keepOpen(host, watch);
  // For as long as the daemon lives: it is when nothing can be opened that a person mends the file.
  const unwatch = await host.watchFiles(request);
  host.log({ kind: 'started', host: '-', version: host.version });
  await host.manager.ready(signal);
  const code = await runDaemon({
    bell,
    signal,
    clock: host.clock,
    random: host.random,
    log: host.log,
    runCycle: async (wakes) => {
      isBusy = true;
      const before = moves;
      const ran = await runCycle(host, keeper, signal, wakes);
      isBusy = false;
      if (!ran.ok) return ran;
      ({ interval } = ran.value);
      // By somebody else, after this cycle had looked. What moves from now on is told at once.
      if (moves !== before && (await ran.value.hasDrifted())) request();
      const isReplaced = await hasSuccessor(host, ran.value);
      ending.handsOver = ran.value.next === 'hand over' || isReplaced;
      return isReplaced ? ok({ ...ran.value, next: 'hand over' }) : ran;
    },
  });
  await keeper.close();
  await unwatch();
  host.log({ kind: 'stopped', host: '-', reason: reasonFor(signal, ending.handsOver) });
  return { code, handsOver: ending.handsOver && !signal.aborted };
}

function reasonFor(signal: AbortSignal, handsOver: boolean): string {
  if (signal.aborted) return 'asked to stop';
  return handsOver ? 'another version of the agent goes on' : 'nothing left to do';
}

interface Walked extends CycleReport {
  /** Whether nothing is half done, nor waits for a reboot. */
  readonly isSettled: boolean;
  /** As in succession.ts. */
  readonly isItsOwn: () => Promise<boolean>;
  /** Looks whether the links lead elsewhere by now than this cycle left or found them. */
  hasDrifted(): Promise<boolean>;
}

/** Settings and journal are read anew for each cycle. */
async function runCycle(
  host: AgentHost,
  keeper: Keeper,
  signal: AbortSignal,
  wakes?: Wakes,
): Promise<Result<Walked>> {
  try {
    const settings = await settingsOf(host);
    if (!settings.ok) return settings;
    const opened = await keeper.open(settings.value);
    if (!opened.ok) return opened;
    return await walk({ host, settings: settings.value, opened: opened.value, signal }, wakes);
  } catch (error) {
    return fail(bug(error));
  }
}

async function walk(opening: Opening, wakes?: Wakes): Promise<Result<Walked>> {
  const { host, settings, opened } = opening;
  const { journals, holds, git } = through(host.perform, 'record', opened.effects);
  const memory = await openMemory(journals, host.locks);
  if (!memory.ok) return memory;
  const { journal } = memory.value;
  if (journal.host !== settings.host) return fail(renamed(journal.host, settings.host));
  try {
    const byHand = heldByHand(await holds.load(), host.clock.now());
    const context = contextOf(opening, memory.value, byHand);
    const ended = await cycle(context, wakes);
    const { fleet, pace, standing, phase, unproved, running, drift } = memory.value.journal;
    return ok({
      // Until the reboot that an unproved generation waits for, the agent that it came with waits too.
      isSettled: phase.at === 'idle' && unproved === null,
      isItsOwn: async () => isConfirmed(running) && drift === null && !(await hasDrifted(context)),
      hasDrifted: () => hasDrifted(context),
      ...{ ...ended, fleet, host: settings.host, interval: settings.interval ?? pace.interval },
      ...(standing?.until === undefined ? {} : { until: standing.until }),
    });
  } finally {
    await git.close();
    const released = await memory.value.release();
    if (!released.ok) {
      host.log({ kind: 'failure', host: journal.host, stage: 'record', failure: released.failure });
    }
  }
}

/**
 * The one place of the agent where an exception becomes a failure. The daemon lives on: the journal says what to
 * finish or undo, and the next cycle begins with that.
 */
function bug(error: unknown): Failure {
  const stack = error instanceof Error ? error.stack : undefined;
  return {
    kind: 'unexpected',
    cause: `the cycle broke off: ${error instanceof Error ? error.message : String(error)}`,
    remedy: 'the agent tries again; if it stays so, report it as a bug of autark',
    ...(stack === undefined ? {} : { detail: stack }),
  };
}

/** Whether a system of NixOS is known to run, and not only tried. */
function isConfirmed(running: Running | null): boolean {
  return running?.kind === 'nixos' && running.testedIn === undefined && !isUncertain(running);
}

/** Keeps what the settings open while they stay the same. */
interface Keeper {
  open(settings: AgentSettings): Promise<Result<OpenedHost>>;
  close(): Promise<void>;
}

/** @param watch begins to watch what the settings name; the result ends that */
function keepOpen(
  host: AgentHost,
  watch: (settings: AgentSettings) => Promise<() => Promise<void>> = () =>
    Promise.resolve(() => Promise.resolve()),
): Keeper {
  let kept: { text: string; opened: OpenedHost; unwatch: () => Promise<void> } | undefined;
  const close = async (): Promise<void> => {
    await kept?.unwatch();
    await kept?.opened.close();
    kept = undefined;
  };
  return {
    close,
    async open(settings) {
      const text = JSON.stringify(settings);
      if (kept?.text === text) return ok(kept.opened);
      await close();
      const opened = await host.open(settings);
      if (!opened.ok) return opened;
      kept = { text, opened: opened.value, unwatch: await watch(settings) };
      return opened;
    },
  };
}

function renamed(before: string, now: string) {
  return {
    kind: 'not-this-host',
    cause: `agent.yaml calls this machine ${now}, and it enrolled as ${before}`,
    where: 'agent.yaml, host',
    remedy: `put \`host: ${before}\` back; a machine takes another name only by enrolling anew`,
  } as const;
}
