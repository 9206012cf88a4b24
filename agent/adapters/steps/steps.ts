import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Steps } from '../../step-ports.ts';
import { openPrograms } from '../process.ts';

export interface StepsOptions {
  readonly folder: string;
  readonly endings: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly hasSystemd: boolean;
}

export function openSteps({ folder, env }: StepsOptions): Steps {
  const programs = openPrograms();
  return {
    lacking: (names) => Promise.resolve(names.filter((name) => env[name] === undefined)),
    async run(order, bounds) {
      const at = `${folder}/${order.name}`;
      mkdirSync(`${at}/yield`, { recursive: true });
      for (const [step, files] of order.earlier) {
        mkdirSync(`${at}/results/${step}`, { recursive: true });
        for (const [name, bytes] of files) writeFileSync(`${at}/results/${step}/${name}`, bytes);
      }
      const given = Object.fromEntries(order.credentials.map((name) => [name, env[name] ?? '']));
      const ran = await programs.run({ file: order.file, args: [], cwd: order.cwd, env: { ...order.env, ...given, AUTARK_YIELD: `${at}/yield`, AUTARK_RESULTS: `${at}/results` }, outputCap: 1e6, leftovers: 'end', onStart: (child) => order.onStart(child) }, { timeout: bounds.timeout, signal: new AbortController().signal });
      const yields = new Map(readdirSync(`${at}/yield`).map((name) => [name, readFileSync(`${at}/yield/${name}`)] as const));
      return { how: 'ended', ending: ran.ending, output: ran.tail, yields, unkept: null };
    },
    async outcome({ child }) {
      if (child !== undefined) await programs.endLeftover(child);
      return null;
    },
    clear() {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve({ ok: true, value: undefined });
    },
  };
}
