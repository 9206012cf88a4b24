import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentUnit } from '../program-ports.ts';
import { askSystemd } from './systemd.ts';

export interface AgentUnitOptions {
  readonly root: string;
  /** `AUTARK_PROGRAM` of the agent's environment, by which a configuration says which program it has begun. */
  readonly own: string | undefined;
  /** Of systemctl(1). */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What counts is what the next agent would find in its environment, and not what it is started by: whatever that is, it
 * then finds itself in its place. The unit's file is read first, which costs next to nothing; systemd is asked only
 * where that names another program, for a file is nothing before it is loaded.
 */
export function agentUnit({ root, own, env }: AgentUnitOptions): AgentUnit {
  const file = join(root, 'etc/systemd/system/autark.service');
  return {
    async isReplaced() {
      if (own === undefined || own === '') return false;
      const text = await readFile(file, 'utf8').catch(() => '');
      const named = programIn(text);
      if (named === undefined || named === own) return false;
      const question = ['show', '--property=Environment', '--value', 'autark.service'];
      const asked = await askSystemd('systemctl', question, env);
      return asked.ok && programIn(asked.value) === named;
    },
  };
}

/** Of a unit's `Environment=` (systemd.exec(5)), and of what systemctl(1) prints of it. */
function programIn(text: string): string | undefined {
  return /[ ="]AUTARK_PROGRAM=([^\s"]+)/.exec(` ${text}`)?.[1];
}
