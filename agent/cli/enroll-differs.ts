import { withoutCredentials } from '../../shared/credentials.ts';
import type { Failure } from '../../shared/failure.ts';
import type { AgentHost } from '../host.ts';
import { usage } from './verb.ts';

/** An option of a call that says something else than the settings that are there. */
export interface Difference {
  readonly option: string;
  readonly now: string;
  readonly then: string | undefined;
}

type Origin = Awaited<ReturnType<AgentHost['settings']['origin']>>;

/** Where a person changes the settings, by where they come from. Nothing is ever written through a link. */
const remedies: Readonly<Record<Origin, string>> = {
  file: 'edit agent.yaml to change that, or remove it to begin anew',
  link: 'change that where agent.yaml is made: on NixOS, the options of services.autark in the configuration of this machine',
  copy: 'write /etc/autark/agent.yaml to change that, or remove /var/lib/autark/agent.yaml to begin anew',
};

/** All of them at once: whoever mends one should not meet the next by the next call. */
export function differs(differences: readonly Difference[], origin: Origin): Failure {
  const all = differences.map(
    ({ option, now, then }) =>
      `${option} ${withoutCredentials(then ?? '(none)')}, not ${withoutCredentials(now)}`,
  );
  return usage('enroll', `this machine is enrolled already, with ${all.join('; ')}`, remedies[origin]);
}
