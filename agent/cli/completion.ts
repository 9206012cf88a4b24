import { ok, type Result } from '../../shared/failure.ts';
import { bashScript, zshScript } from './completion-bash.ts';
import { fishScript } from './completion-fish.ts';
import type { Act } from './verb.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** `autark completion SHELL`: a script made from the same definitions as the help. */
export const completion: Act = (args, { terminal }): Promise<Result<number>> => {
  const shell = args.positional('SHELL') ?? '';
  terminal.out(isShell(shell) ? scripts[shell]() : '');
  return Promise.resolve(ok(0));
};

function isShell(text: string): text is keyof typeof scripts {
  return text in scripts;
}
