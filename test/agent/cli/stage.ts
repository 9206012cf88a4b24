import type { Roles } from '../../../agent/cli/verb.ts';
import type { Stage } from '../../../agent/cli/run.ts';

/** What a call has said, as far as it has come. */
export interface Said {
  out: string;
  note: string;
}

/** A stage for calls that no process is made for: no terminal, and no role but those that are given. */
export function stageWith(
  roles: Partial<Roles>,
  { signal, debug = false }: Partial<Pick<Stage, 'signal' | 'debug'>>,
): { readonly stage: Stage; readonly said: Said } {
  const said: Said = { out: '', note: '' };
  const unused = () => Promise.reject(new Error('not asked for'));
  const none: Roles = {
    ...{ clone: unused, anyClone: unused, cloneEditor: unused, secretDesk: unused, randomId: unused },
    ...{ agentHost: unused, hostProbe: unused, cloneProbe: unused, bootSecrets: unused },
  };
  const stage: Stage = {
    terminal: {
      out: (text) => void (said.out += text),
      note: (line) => void (said.note += `${line}\n`),
      isTerminal: false,
      canAsk: false,
      width: Infinity,
      colour: false,
      confirm: () => Promise.resolve(false),
      ask: () => Promise.resolve(''),
      askHidden: () => Promise.resolve(''),
    },
    roles: { ...none, ...roles },
    signal: signal ?? new AbortController().signal,
    now: () => 0,
    onHangup: () => undefined,
    resolve: (path) => path,
    program: [],
    debug,
  };
  return { stage, said };
}
