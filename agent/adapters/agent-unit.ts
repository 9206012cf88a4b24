import { readFile } from 'node:fs/promises';
import { fail, ok, type Failure } from '../../shared/failure.ts';
import type { AgentUnit } from '../program-ports.ts';
import { askSystemd } from './systemd.ts';

export interface AgentUnitOptions {
  /** `/run/current-system`, absolute. */
  readonly currentSystem: string;
  /** `AUTARK_PROGRAM` of the agent's environment, by which a configuration says which program it has begun. */
  readonly own: string | undefined;
  /** Of systemctl(1). */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What counts is what the next agent would find in its environment, and not what it is started by: whatever that is, it
 * then finds itself in its place. The unit's file is read first, which costs next to nothing: that of the system, for
 * what the agent's service sees of /etc may be older (`ProtectSystem=`). Where that names another program systemd is
 * asked, for a file is nothing before it is loaded.
 */
export function agentUnit({ currentSystem, own, env }: AgentUnitOptions): AgentUnit {
  return {
    async isReplaced() {
      if (own === undefined || own === '') return ok(false);
      const text = await readFile(`${currentSystem}/etc/systemd/system/${unit}`, 'utf8').catch(() => '');
      const named = programIn(text);
      if (named === undefined || named === own) return ok(false);
      const asked = await askSystemd('systemctl', ['show', '--property=Environment', '--value', unit], env);
      return asked.ok ? ok(programIn(asked.value) === named) : fail(notSaid(asked.failure));
    },
  };
}

const unit = 'autark.service';

function notSaid(said: string): Failure {
  return {
    kind: 'unexpected',
    cause: `systemd does not say which agent it would begin: ${said}`,
    where: unit,
    remedy: `look with \`systemctl status ${unit}\`; the agent asks again by itself`,
  };
}

/** Of a unit's `Environment=` (systemd.exec(5)), and of what systemctl(1) prints of it. */
function programIn(text: string): string | undefined {
  return /[ ="]AUTARK_PROGRAM=([^\s"]+)/.exec(` ${text}`)?.[1];
}
