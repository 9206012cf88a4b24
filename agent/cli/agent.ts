import { serve } from '../serve.ts';
import type { Act } from './verb.ts';

/** `autark agent [--once]`: the daemon, or one cycle whose end is the exit code. */
export const agent: Act = async (args, { roles, root, signal, onHangup }) => {
  const host = await roles.agentHost(root);
  return serve(host, { once: args.flag('once'), signal, onHangup });
};
