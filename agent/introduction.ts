import { fail, ok, type Failure, type Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import type { ObjectId } from '../shared/objects/object.ts';
import { firstPace } from '../shared/cycle/new-journal.ts';
import { oneLine } from '../shared/printable.ts';
import { parseMessage } from '../shared/record/message.ts';
import { whileOpen, type AgentHost } from './host.ts';
import type { Git } from './git-ports.ts';
import { readCommit, type ReadCommit } from './objects/read.ts';
import { readFleet } from './stages/verify.ts';

/** The commit that a fleet begins with, as the server shows it; a person decides whether it is the right one. */
export interface Introduction {
  readonly id: ObjectId;
  readonly subject: string;
}

/**
 * The oldest commit on the configuration branch's first-parent history that names the fleet of its newest
 * `fleet.yaml`, as `init` writes it. Nothing here is verified: it is what a person is asked about.
 */
export async function findIntroduction(
  host: AgentHost,
  settings: AgentSettings,
  signal: AbortSignal,
): Promise<Result<Introduction>> {
  return whileOpen(host, settings, async ({ effects: { git } }) => {
    const head = await git.fetchHead({ timeout: firstPace.fetch, signal });
    if (!head.ok) return head;
    const read = await readFleet(git, head.value, { dir: settings.dir, version: host.version });
    return read.ok ? oldestNaming(git, head.value, read.value.fleet.fleet) : read;
  });
}

async function oldestNaming(git: Git, head: ObjectId, fleet: string): Promise<Result<Introduction>> {
  let found: Introduction | undefined;
  let next: ObjectId | undefined = head;
  while (next !== undefined) {
    const read: Result<ReadCommit> = await readCommit(git, next);
    if (!read.ok) return read;
    const { subject, trailers } = parseMessage(read.value.commit.message);
    if (trailers.get('Autark-Fleet') === fleet) found = { id: next, subject: oneLine(subject) };
    next = read.value.commit.parents[0];
  }
  return found === undefined ? fail(noIntroduction(fleet)) : ok(found);
}

function noIntroduction(fleet: string): Failure {
  return {
    kind: 'not-authentic',
    cause: `no commit of the configuration branch introduces fleet ${fleet}`,
    where: 'fleet.yaml, fleet',
    remedy: 'ask an admin for the introduction and give it with --introduction',
  };
}
