#!/usr/bin/env node
import { writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { version } from './cli/version.ts';

// `--version` is asked by scripts and package managers: it loads nothing else, not even Node's streams.
const [first, ...rest] = process.argv.slice(2);
if (first === '--version' && rest.length === 0) {
  writeSync(1, `${version}\n`);
} else {
  const [{ run }, wire] = await Promise.all([import('./cli/run.ts'), import('./wire.ts')]);
  const ending = new AbortController();
  const terminal = wire.terminalRole(process.env, ending.signal);
  // The first signal asks to end; the second one finds the default action and ends at once.
  const end = (signal: 'SIGINT' | 'SIGQUIT' | 'SIGTERM') => {
    ending.abort(signal);
  };
  process.once('SIGINT', end).once('SIGQUIT', end).once('SIGTERM', end);
  process.exitCode = await run(process.argv.slice(2), {
    terminal,
    signal: ending.signal,
    roles: wire.roles({ cwd: process.cwd(), env: process.env }),
    now: () => Date.now(),
    onHangup: (listener) => process.on('SIGHUP', listener),
    resolve: (path) => resolve(path),
    program: [process.execPath, resolve(process.argv[1] ?? '')],
    debug: process.env['AUTARK_DEBUG'] === '1',
  });
}
