import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Files } from '../rig/fleet.ts';
import { attacks, type AttackName } from './attacks.ts';
import { type MaliciousServer, startMaliciousServer } from './server.ts';
import {
  type Cause,
  type Daemon,
  type Ground,
  loadSubject,
  type Machine,
  type Outcome,
  type Subject,
} from './subject.ts';
import { tracesIn } from './traces.ts';

/** A fleet behind a server that may turn malicious, with one machine whose agent runs all the while. */
export interface Siege {
  readonly subject: Subject;
  readonly ground: Ground;
  readonly front: MaliciousServer;
  readonly machine: Machine;
  readonly daemon: Daemon;
  /** The newest revision that the machine has deployed. */
  good(): string;
  /** A system that must never be, and whose build leaves a mark in HOME. */
  readonly evil: Files;
  /** Moves the configuration branch on the server. */
  setMain(id: string): Promise<void>;
  /** What runs, what ever ran, and every file but the agent's own. */
  state(options?: { readonly besidesActivation: boolean }): unknown;
  /** An admin pushes a system, and the machine runs it; whether it can tell anybody is another matter. */
  follows(text: string, push?: Push): Promise<string>;
  /** The server is honest to everybody; the machine follows and says so. */
  deploys(text: string, push?: Push): Promise<void>;
  /** Waits until the newest that the machine published says all of these, and the agent knows that it is there. */
  publishes(wanted: readonly (string | RegExp)[], since: number, repository?: string): Promise<string>;
  /** The branch goes to a revision that changes nothing of the system, and the machine follows. */
  reaches(revision: string): Promise<void>;
  /** The server is honest again, and its branch what it was, above this. */
  regain(above: string): Promise<void>;
  /** Makes another machine known, and has it approved and deployed as well. */
  another(name: string): Promise<Machine>;
  /** A machine that belongs to the attacker: what it does in its own root does not count. */
  disregard(machine: Machine): void;
  lift(): Promise<void>;
}

export interface Push {
  /** What it goes on from, if not from what the machine has deployed. */
  readonly above?: readonly string[];
  readonly files?: Files;
}

/** The machine's name, and its place on the server. */
export const victim = 'web1';

export async function besiege(name: string): Promise<Siege> {
  const subject = await loadSubject();
  const ground = await subject.found(`autark-hostile-${name}`);
  const front = await startMaliciousServer(ground.repository, join(ground.dir, 'served'));
  try {
    return await begin(subject, ground, front);
  } catch (error) {
    await front.stop();
    await ground.remove();
    throw error;
  }
}

async function begin(subject: Subject, ground: Ground, front: MaliciousServer): Promise<Siege> {
  const { server, dir } = ground;
  let good = ground.introduction;
  const machines: Machine[] = [];
  const admit = async (name: string): Promise<Machine> => {
    const enrolled = await ground.enrol(name, front.url(name));
    expect(enrolled.code, enrolled.output).toBe(0);
    const approved = await ground.approve(name, enrolled.fingerprint);
    expect(approved.code, approved.output).toBe(0);
    machines.push(enrolled.machine);
    return enrolled.machine;
  };
  const machine = await admit(victim);
  good = await server.commit({ files: ground.system(victim, 'hello'), subject: 'hello' });
  const first = await machine.once();
  expect(first.code, first.output).toBe(0);
  const daemon = machine.start();
  // Should the tests themselves be ended.
  const end = (): void => void daemon.kill();
  process.once('exit', end);
  await daemon.says(/./, 0);
  const strangers: string[] = [];
  const aside = (): string[] => [...ground.aside, ...strangers, ...machines.flatMap(({ own }) => own)];

  const siege: Siege = {
    ...{ subject, ground, front, machine, daemon },
    good: () => good,
    evil: ground.system(victim, 'evil', `touch '${dir}/home/a-build-of-evil-ran'`),
    async setMain(id) {
      await server.git(['update-ref', 'refs/heads/main', id]);
    },
    state: ({ besidesActivation } = { besidesActivation: false }) => ({
      running: besidesActivation ? undefined : machine.running(),
      traces: tracesIn(dir, [...aside(), ...(besidesActivation ? machine.activated : [])]),
    }),
    async follows(text, { above = [good], files = {} } = {}) {
      const mark = daemon.mark();
      good = await server.commit({
        files: { ...ground.system(victim, text), ...files },
        parents: above,
        tree: good,
        subject: text,
      });
      daemon.nudge();
      await until(
        () => machine.running().system === text,
        `${victim} to run “${text}”`,
        () => daemon.said(mark),
      );
      return good;
    },
    async deploys(text, push) {
      const mark = daemon.mark();
      front.be({ kind: 'honest' });
      await siege.publishes([await siege.follows(text, push)], mark);
    },
    async publishes(wanted, since, repository = ground.repository) {
      let shown = '';
      const isSaid = (each: string | RegExp): boolean =>
        typeof each === 'string' ? shown.includes(each) : each.test(shown);
      await daemon.delivers(since);
      await until(
        async () => {
          shown = await machine.published(repository);
          return wanted.every(isSaid);
        },
        `${victim} to publish ${wanted.join(', ')}`,
        () => `${shown}\n${daemon.said(since)}`,
      );
      return shown;
    },
    async reaches(revision) {
      const mark = daemon.mark();
      await siege.setMain(revision);
      daemon.nudge();
      await siege.publishes([revision], mark);
      good = revision;
    },
    async regain(above) {
      front.be({ kind: 'honest' });
      good = await server.commit({ parents: [above], tree: good, subject: 'As it was' });
    },
    async another(name) {
      const mark = daemon.mark();
      // Approving changes the branch, and the one before would be left behind.
      const other = await admit(name);
      good = await server.commit({ files: ground.system(name, 'hello'), subject: `hello ${name}` });
      const ran = await other.once();
      expect(ran.code, ran.output).toBe(0);
      await siege.publishes([good], mark);
      return other;
    },
    disregard({ root }) {
      strangers.push(root);
    },
    async lift() {
      process.off('exit', end);
      await daemon.kill();
      await front.stop();
      await ground.remove();
    },
  };
  return siege;
}

/** Waits for what another process does. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  seen: () => Promise<string> | string = () => '',
): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}\n${await seen()}`);
    await pause(100);
  }
}

/** The test of one line of the list. */
export function against(line: AttackName, body: () => Promise<void>): void {
  test(attacks[line], body);
}

/** What an attacker does, and why it must come to nothing. */
export interface Attack {
  readonly cause: Cause;
  /** Gives the commit that must be named, if there is one. */
  readonly attack: (siege: Siege) => Promise<string | undefined>;
  /** Whether an admin signed it, so that the agent takes it for a step ahead, although not one that can be deployed. */
  readonly isAuthentic?: boolean;
  /** Where the agent's answer goes, if not to the repository that everybody else sees. */
  readonly heardIn?: () => string;
  /** What else must be so while the agent refuses, given all that it said. */
  readonly meanwhile?: (siege: Siege, said: string) => Promise<void> | void;
  /** What an honest server, or an admin, does besides putting the branch back. */
  readonly mend?: (siege: Siege) => Promise<void> | void;
}

/**
 * The agent that runs meets the attack and refuses, naming the cause; what ran runs on, nothing else was ever
 * activated, nothing was written but below its own folders; and the next honest revision is deployed by that same
 * process.
 */
export function withstands(siege: Siege, line: AttackName, assault: Attack): void {
  against(line, async () => {
    try {
      await meet(siege, line, assault);
    } catch (error) {
      // One that got through must not stand in the way of the others.
      await siege.regain(assault.isAuthentic === true ? await siege.ground.server.head() : siege.good());
      throw error;
    }
  });
}

async function meet(siege: Siege, line: AttackName, assault: Attack): Promise<void> {
  const { daemon, machine, ground, subject } = siege;
  const { cause, attack, isAuthentic = false, heardIn, meanwhile, mend } = assault;
  const { words, isPublished } = subject.says[cause];
  const [before, settled] = [siege.state(), siege.state({ besidesActivation: true })];
  const mark = daemon.mark();
  const named = await attack(siege);
  daemon.nudge();
  const said = await daemon.refuses(cause, mark);
  const names = named === undefined ? [] : [named];
  for (const name of names) expect(said).toContain(name);
  if (isPublished) await siege.publishes([words, ...names], mark, heardIn?.());
  expect(siege.state()).toEqual(before);
  await meanwhile?.(siege, said);

  const authentic = await ground.server.head();
  await mend?.(siege);
  const above = isAuthentic ? authentic : siege.good();
  await siege.deploys(`after ${line}`, { above: [above] });
  expect(siege.state({ besidesActivation: true })).toEqual(settled);
  expect(machine.running().activations.join('\n')).not.toContain('evil');
  await machine.checkPublished(ground.repository);
}

/** Takes away what an attacker planted. */
export function forget(...paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { recursive: true, force: true });
}

/** A cycle, or a command, that must end like this. */
export function expectOutcome({ code, output }: Outcome, wanted: number, words: RegExp = /^/): void {
  expect(code, output).toBe(wanted);
  expect(output).toMatch(words);
}
