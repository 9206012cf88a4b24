import { ok } from '../../shared/failure.ts';
import type { Revision } from '../../shared/record/draft.ts';
import { goBack, type Way, type WentBack } from '../go-back.ts';
import { settingsOf } from '../opening.ts';
import { atRoot } from './shell-word.ts';
import type { Act } from './verb.ts';
import type { Terminal } from '../clone-ports.ts';

/** `autark rollback`: back to what ran before, and held there. */
export const rollback: Act = async (args, { terminal, roles, root, signal }) => {
  const host = await roles.agentHost(root);
  const settings = await settingsOf(host);
  if (!settings.ok) return settings;
  const isAsked = terminal.canAsk && !args.flag('yes');
  const agree = (way: Way): Promise<boolean> =>
    isAsked ? terminal.confirm(questionOf(way)) : Promise.resolve(true);
  const went = await goBack(host, settings.value, signal, agree);
  if (!went.ok) return went;
  tell(terminal, went.value, atRoot('autark resume', root));
  return ok(0);
};

function questionOf({ from, to, revision }: Way): string {
  return `Go back from generation ${from.generation} to generation ${to.number}, ${nameOf(revision)}?`;
}

function tell(terminal: Terminal, went: WentBack, resume: string): void {
  if (went.did === 'finished') {
    const { running } = went;
    if (running !== null)
      terminal.out(`generation ${running.generation}: ${nameOf({ id: running.revision })}`);
    terminal.note('a rollback had been cut off here: it is finished now, and nothing else was gone back');
  } else {
    const { from, to, revision } = went.way;
    terminal.out(`generation ${to.number}: ${nameOf(revision)}`);
    terminal.note(`this machine went back from generation ${from.generation}, ${from.revision.slice(0, 7)}`);
    if (went.mode === 'boot') terminal.note('it must not be switched to live: reboot to run it');
  }
  terminal.note(`it is held there until \`${resume}\``);
}

function nameOf({ id, subject }: Revision): string {
  return subject === undefined ? id.slice(0, 7) : `${id.slice(0, 7)} "${subject}"`;
}
