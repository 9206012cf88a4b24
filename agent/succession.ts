import type { AgentHost } from './host.ts';
import type { AgentFiles, AgentUnit } from './program-ports.ts';

/** How the agent was asked to run. */
interface Asked {
  readonly once: boolean;
  readonly signal: AbortSignal;
}

/** Milliseconds in which an agent that is begun for one cycle, to confirm a generation, has to end. */
const patience = 10 * 60_000;

interface OwnProgram {
  readonly agentFiles: Pick<AgentFiles, 'running' | 'current'>;
  readonly agentUnit: AgentUnit;
}

/** How a cycle left the machine. */
interface Standing {
  /** Whether nothing is half done, nor waits for a reboot. */
  readonly isSettled: boolean;
  /** Looks whether what runs was confirmed once, and is what the journal has: not only tried, nor switched to by hand. */
  readonly isItsOwn: () => Promise<boolean>;
}

/** Whether another version is current than the one that runs: going back has moved it, or a person has. */
export async function hasSuccessor(
  { agentFiles, agentUnit }: OwnProgram,
  { isSettled, isItsOwn }: Standing,
): Promise<boolean> {
  if (!isSettled) return false;
  const running = await agentFiles.running();
  if (running === null) {
    const replaced = await agentUnit.isReplaced();
    return replaced.ok && replaced.value && (await isItsOwn());
  }
  const current = await agentFiles.current();
  return current.ok && current.value !== null && current.value !== running;
}

/**
 * Lets the current version of the agent go on. Whoever manages this one starts it; else it is run as a child, first for
 * one cycle, in which it has to finish what is half done: this agent, which is known to work, looks after it.
 * @returns the exit code to end with, or that the switch is still half done, so that this agent goes on
 */
export async function giveWay(host: AgentHost, { once, signal }: Asked): Promise<number | 'not yet'> {
  const { nextAgent } = host;
  if (!once && nextAgent.isBegunByManager) return 0;
  const code = await nextAgent.run(['agent', '--once', '--root', host.root], patience, signal);
  if (signal.aborted) return code;
  if (await isHalfDone(host)) return 'not yet';
  return once ? code : nextAgent.run(['agent', '--root', host.root], null, signal);
}

async function isHalfDone({ journals }: AgentHost): Promise<boolean> {
  const loaded = await journals.load();
  return loaded.ok && loaded.value !== null && loaded.value.phase.at !== 'idle';
}
