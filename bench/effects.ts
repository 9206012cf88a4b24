import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { AgentEvent } from '../shared/event.ts';
import type { Perform } from '../agent/seam.ts';
import { serve } from '../agent/serve.ts';
import { agentHostRole } from '../agent/wire-host.ts';
import { must } from '../test/rig/run.ts';
import { makeScene } from './scene.ts';

/** Where the time of a deployment goes: every effect of one, when it began and how long it took. */
export async function effects(): Promise<void> {
  const world = await makeScene(['web1']);
  const events = new EventTarget();
  let begin = 0;
  let lines: string[] = [];
  const since = (): number => performance.now() - begin;
  const note = (at: number, took: number | undefined, what: string): void => {
    lines.push(`${at.toFixed(1).padStart(8)} ${(took?.toFixed(1) ?? '').padStart(6)}  ${what}`);
  };
  const perform: Perform = async (stage, name, effect) => {
    const at = since();
    const value = await effect();
    note(at, since() - at, `${stage} ${name}`);
    return value;
  };
  const log = (event: AgentEvent): void => {
    note(since(), undefined, `* ${event.kind}`);
    events.dispatchEvent(new Event(event.kind));
  };
  const ending = new AbortController();
  const host = await agentHostRole({ root: world.root('web1'), env: world.env, log, perform });
  const first = once(events, 'delivered');
  const served = serve(host, { once: false, signal: ending.signal, onHangup: () => undefined });
  await first;
  for (let round = 0; round < 5; round += 1) {
    const id = await world.commit({ 'hosts/web1/motd': `Round ${round}\n` }, 'Change', 'refs/staging/next');
    // Long enough for the agent to have gone back to sleep; nothing here waits for it.
    await setTimeout(300);
    lines = [];
    const delivered = once(events, 'delivered');
    begin = performance.now();
    await must('git', ['update-ref', 'refs/heads/main', id], { cwd: world.remote, env: world.env });
    note(since(), undefined, '* the branch has moved');
    await delivered;
  }
  process.stdout.write(
    `\nEffects of one deployment (ms since the branch moved, ms each)\n${lines.join('\n')}\n`,
  );
  ending.abort();
  await served;
  await world.remove();
}
