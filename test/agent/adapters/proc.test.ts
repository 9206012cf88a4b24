import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import {
  bootId,
  isAlive,
  parseProcessStat,
  processStart,
  thisProcess,
} from '../../../agent/adapters/proc.ts';

/** proc_pid_stat(5): pid (comm) state ppid pgrp …, and the start time as the 22nd. */
const line = (name: string): string =>
  `4242 (${name}) S 1 77 77 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 11 0 987654 1000000 500 18446744073709551615\n`;

/** proc_pid_comm(5): the name of the program that a process runs. */
const commandOf = (pid?: number): string => readFileSync(`/proc/${pid}/comm`, 'latin1').trim();

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('parseProcessStat', () => {
  test.each(['node', 'a b', 'x) S 1 2 3 4 5', '((', ')', ''])('is not misled by the name %j', (name) => {
    expect(parseProcessStat(line(name))).toEqual({ state: 'S', group: 77, started: 987654 });
  });

  test.each(['', 'nonsense', '1 (x) S 1 2'])('gives nothing for %j', (text) => {
    expect(parseProcessStat(text)).toBeNull();
  });
});

describe('a process', () => {
  test('has a start time while it is there, and none afterwards', async () => {
    const child = spawn('sleep', ['1000']);
    const pid = child.pid ?? 0;
    const started = processStart(pid);
    expect(started).toBeGreaterThan(0);
    const self = { pid, started: started ?? 0, boot: bootId() };
    expect(isAlive(self)).toBe(true);
    expect(isAlive({ ...self, started: self.started + 1 })).toBe(false);
    expect(isAlive({ ...self, boot: 'another' })).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(processStart(pid)).toBeNull();
    expect(isAlive(self)).toBe(false);
  });

  test('that ended but was not waited for is dead', async () => {
    // The shell becomes a sleep that waits for no child. It would still wait for one that ends earlier, so its
    // child ends with its input, which is closed only once the shell is gone.
    const parent = spawn('sh', ['-c', 'cat <&3 & echo $!; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    });
    try {
      const [output] = (await once(parent.stdout as Readable, 'data')) as [Buffer];
      const pid = Number(output);
      const child = { pid, started: processStart(pid) ?? 0, boot: bootId() };
      expect(isAlive(child)).toBe(true);
      while (commandOf(parent.pid) !== 'sleep') await turn();
      (parent.stdio[3] as Writable).end();
      while (isAlive(child)) await turn();
      expect(processStart(pid)).toBe(child.started);
    } finally {
      parent.kill('SIGKILL');
    }
  });

  test('knows itself', () => {
    expect(isAlive(thisProcess())).toBe(true);
    expect(thisProcess().pid).toBe(process.pid);
    expect(bootId()).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });
});
