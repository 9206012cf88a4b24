import type { Stage } from '../shared/failure.ts';
import type { Disks } from './disk-ports.ts';
import type { Links } from './drift-ports.ts';
import type { Health } from './health-ports.ts';
import type { Steps } from './step-ports.ts';
import type { Ledgers } from './ledger-ports.ts';
import type { Nix } from './nix-ports.ts';
import type { AgentFiles, AgentUnit } from './program-ports.ts';
import type { SecretStore } from './secret-ports.ts';
import type { Activations, Watchdog } from './unit-ports.ts';
import type { Git } from './git-ports.ts';
import type {
  Clock,
  HostKeys,
  Holds,
  Journals,
  Log,
  Machine,
  Outbox,
  Programs,
  Random,
  Settings,
  Signer,
  Systems,
  Trees,
} from './ports.ts';

/** Ports whose every call is an effect on the world, or waits for it. */
export interface Effects {
  readonly git: Git;
  readonly programs: Programs;
  readonly activations: Activations;
  readonly watchdog: Watchdog;
  readonly trees: Trees;
  readonly nix: Nix;
  readonly systems: Systems;
  readonly agentFiles: AgentFiles;
  readonly agentUnit: AgentUnit;
  readonly secrets: SecretStore;
  readonly journals: Journals;
  readonly holds: Holds;
  readonly outbox: Outbox;
  readonly machine: Machine;
  readonly disks: Disks;
  readonly ledgers: Ledgers;
  readonly links: Links;
  readonly health: Health;
  readonly steps: Steps;
  readonly settings: Settings;
  readonly keys: HostKeys;
}

/** Ports that leave no trace. */
export interface Senses {
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * The one seam through which every effect goes: `stage` and the effect's name, such as `switch` and
 * `systems.setCurrent`. Tests stop the agent before and after each.
 */
export type Perform = <Value>(stage: Stage, name: string, effect: () => Promise<Value>) => Promise<Value>;

export const performAtOnce: Perform = (_stage, _name, effect) => effect();

/**
 * The effects as a stage may use them: each call of each port goes through `perform`. A new method of a port
 * is wrapped because it is there, so no effect can escape the crash tests.
 */
export function through(perform: Perform, stage: Stage, effects: Effects): Effects {
  const wrap = <Port extends object>(name: string, port: Port): Port =>
    portThrough(perform, stage, name, port);
  return {
    git: wrap('git', effects.git),
    programs: wrap('programs', effects.programs),
    activations: wrap('activations', effects.activations),
    watchdog: wrap('watchdog', effects.watchdog),
    trees: wrap('trees', effects.trees),
    nix: wrap('nix', effects.nix),
    systems: wrap('systems', effects.systems),
    agentFiles: wrap('agentFiles', effects.agentFiles),
    agentUnit: wrap('agentUnit', effects.agentUnit),
    secrets: wrap('secrets', effects.secrets),
    journals: wrap('journals', effects.journals),
    holds: wrap('holds', effects.holds),
    outbox: wrap('outbox', effects.outbox),
    machine: wrap('machine', effects.machine),
    disks: wrap('disks', effects.disks),
    ledgers: wrap('ledgers', effects.ledgers),
    links: wrap('links', effects.links),
    health: wrap('health', effects.health),
    steps: wrap('steps', effects.steps),
    settings: wrap('settings', effects.settings),
    keys: wrap('keys', effects.keys),
  };
}

/** One port alone, for what is done before the others can be opened. */
export function portThrough<Port extends object>(
  perform: Perform,
  stage: Stage,
  name: string,
  port: Port,
): Port {
  return new Proxy(port, {
    get: (target, method, receiver) => {
      const value: unknown = Reflect.get(target, method, receiver);
      if (typeof value !== 'function') return value;
      return (...parameters: unknown[]) =>
        perform(stage, `${name}.${String(method)}`, () =>
          Promise.resolve(Reflect.apply(value, target, parameters)),
        );
    },
  });
}
