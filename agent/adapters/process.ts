import { access, constants, stat } from 'node:fs/promises';
import { delimiter, resolve } from 'node:path';
import { sentence } from '../../shared/failure.ts';
import type { Order, Programs, Ran } from '../ports.ts';
import { errorCode } from './file-failure.ts';
import type { Account } from './process/account.ts';
import { bootId, processStart, processStat } from './proc.ts';
import { endGroup, groupStart } from './process/group.ts';
import { lineSplitter } from './process/lines.ts';
import { runProcess, usualPatience } from './process/run.ts';
import { endAllOf } from './strays.ts';

/**
 * Waits for a line, then becomes the program. The process id and start time stay the same over exec(2), so they can
 * be recorded before the program begins; if the agent dies first, `read` finds the end of its input and nothing
 * ever runs. The file and its arguments are parameters: the shell never parses them. It exports variables of its
 * own, which are taken back.
 */
const launcher = 'read -r _ || exit 125; unset _ PWD OLDPWD SHLVL; exec "$0" "$@" </dev/null';

/** With both its streams in one pipe, and so in order. */
const joined = `${launcher} 2>&1`;

/**
 * The door to all programs but git.
 * @param builder the user of builds; the agent's own if absent
 */
export function openPrograms(patience = usualPatience, builder?: Account): Programs {
  return {
    async run(order, bounds) {
      const found = await locate(order);
      if ('reason' in found) return { ending: { how: 'unstartable', reason: found.reason }, tail: '' };
      let refusal: string | undefined;
      const { onLine } = order;
      const { ending, tail, stdout } = await runProcess(
        {
          ...order,
          file: '/bin/sh',
          args: ['-c', onLine === undefined ? joined : launcher, found.file, ...order.args],
          input: Buffer.from('\n'),
          ...(order.isBuild === true && builder !== undefined ? { as: builder } : {}),
          ...(onLine === undefined ? { stdout: 'tail' } : { stdout: 'keep', onStderr: lineSplitter(onLine) }),
          onStart: async (pid) => {
            const started = processStart(pid);
            // Ended by somebody else already: there is nothing to record, and its exit will tell.
            if (started === null) return true;
            const recorded = await order.onStart({ pid, started, boot: bootId() });
            if (!recorded.ok) refusal = sentence(recorded.failure);
            return recorded.ok;
          },
        },
        bounds,
        patience,
      );
      if (order.isBuild === true && builder !== undefined) await endAllOf(builder);
      return {
        ending: refusal === undefined ? ending : { how: 'unstartable', reason: refusal },
        tail,
        ...(onLine === undefined ? {} : { stdout: Buffer.from(stdout).toString('utf8') }),
      } satisfies Ran;
    },

    async endLeftover(child) {
      if (builder !== undefined) await endAllOf(builder);
      if (child.boot === '' || child.boot !== bootId()) return;
      const leader = processStat(child.pid);
      // The kernel keeps a number from being given out anew while a group has it, so a group without
      // its leader is the one we started, unless all of it is younger.
      const begun = leader === null ? groupStart(child.pid) : leader.started;
      if (begun === null || begun < child.started) return;
      if (leader !== null && leader.started !== child.started) return;
      await endGroup(child.pid, patience.grace);
    },
  };
}

/** The file as exec(2) would find it, or why it cannot be run: said before anything is started. */
async function locate(order: Order): Promise<{ file: string } | { reason: string }> {
  const { file, cwd, env } = order;
  const candidates = file.includes('/')
    ? [resolve(cwd, file)]
    : (env['PATH'] ?? '').split(delimiter).map((folder) => resolve(cwd, folder, file));
  let reason = `there is no program ${file}`;
  for (const candidate of candidates) {
    const problem = await obstacle(candidate);
    if (problem === null) return { file: candidate };
    if (problem !== 'ENOENT') reason = `${file} ${reasons[problem] ?? `cannot be run (${problem})`}`;
  }
  return { reason };
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'is not executable',
  EISDIR: 'is a folder, not a program',
  ENOTDIR: 'does not exist',
  ELOOP: 'is a symbolic link that leads in a circle',
};

async function obstacle(path: string): Promise<string | null> {
  try {
    if (!(await stat(path)).isFile()) return 'EISDIR';
    await access(path, constants.X_OK);
    return null;
  } catch (error) {
    return errorCode(error) ?? 'unknown';
  }
}
