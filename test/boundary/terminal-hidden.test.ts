import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../agent/adapters/scratch.ts';
import { program } from '../rig/world.ts';

/** Asks twice, hidden and then shown, and prints what it got as JSON; a signal is a line of its own. */
const script = (terminal: string): string => `
import { terminalOf } from ${JSON.stringify(terminal)};
const over = new AbortController();
process.on('SIGINT', () => { console.log('SIGNAL'); over.abort(); });
const { stdin: input, stdout: output, stderr: notes } = process;
const terminal = terminalOf({ input, output, notes, env: {}, signal: over.signal });
const hidden = await terminal.askHidden('Passphrase:');
const shown = over.signal.aborted ? '' : await terminal.ask('Name:');
console.log('GOT ' + JSON.stringify([hidden, shown, input.isRaw]));
`;

/** What the terminal shows while a person types these, each after its question. */
async function typed(answers: readonly [question: string, text: string][]): Promise<string> {
  const dir = scratch();
  const file = join(dir, 'ask.mjs');
  await writeFile(file, script(join(program, '../adapters/terminal.js')));
  const command = `exec ${process.execPath} ${file}`;
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: { TERM: 'xterm', SHELL: '/bin/sh', PATH: process.env['PATH'] },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const rest = [...answers];
  let shown = '';
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    const [next] = rest;
    if (next === undefined || !shown.includes(next[0])) return;
    rest.shift();
    child.stdin.write(next[1]);
  });
  await new Promise((resolve) => child.on('close', resolve));
  return shown.replaceAll('\r', '');
}

test('a hidden answer is not shown, comes with its blanks, and the next one is shown again', async () => {
  const shown = await typed([
    ['Passphrase:', ' hunter2 pä\b\u007fß \r'],
    ['Name:', 'alice\r'],
  ]);
  const [said = '', got = ''] = shown.split('GOT ');
  expect(said).toMatch(/^Passphrase: \nName: alice\n/);
  expect(said).not.toMatch(/hunter|ß/);
  // Backspace and DEL take one character each.
  expect(JSON.parse(got)).toEqual([' hunter2 ß ', 'alice', false]);
});

test('Ctrl-C ends the question as an interrupt, and gives the terminal back', async () => {
  const shown = await typed([['Passphrase:', 'hunter2\u0003']]);
  // The signal comes first: whoever asked must not take an interrupt for an answer.
  expect(shown).toMatch(/^Passphrase: SIGNAL\n\nGOT \["","",false\]\n$/);
  expect(shown).not.toContain('hunter');
});

test('lines that are pasted at once are one answer, the one without an end too, and are not shown', async () => {
  const shown = await typed([
    ['Passphrase:', '-----BEGIN\rhunter2\r\rEND-----'],
    ['Name:', 'alice\r'],
  ]);
  expect(shown).toContain('GOT ["-----BEGIN\\nhunter2\\n\\nEND-----","alice",false]');
  expect(shown.split('GOT')[0]).toBe('Passphrase: \nName: alice\n');
});

test('the end of input is an empty answer', async () => {
  const shown = await typed([
    ['Passphrase:', '\u0004'],
    ['Name:', 'alice\r'],
  ]);
  expect(shown).toContain('GOT ["","alice",false]');
});
