import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { run } from '../rig/run.ts';
import { makeSecretHost, type SecretHost } from '../rig/secret-store.ts';

const shipped = readFileSync(join(import.meta.dirname, '../../systemd/autark-secret'), 'utf8');

/** What autark-secret@NAME.service says of a secret of this host; nothing when it is there. */
async function said(host: SecretHost, name: string): Promise<string> {
  const place = host.at('run/autark/secrets');
  writeFileSync(
    host.at('asks'),
    shipped.replace('/run/autark/secrets\n', () => `${place}\n`),
  );
  const env = { PATH: process.env['PATH'] ?? '' };
  const { code, stderr } = await run('/bin/sh', [host.at('asks'), name], { env });
  expect(code).toBe(stderr === '' ? 0 : 1);
  return stderr.trim();
}

describeWith(['root'], 'autark-secret@NAME.service', () => {
  test('tells a value that was removed from one that was never declared, and from one that cannot be opened', async () => {
    const host = await makeSecretHost();
    const torn = await host.secret('torn', '', { sealed: Buffer.from('no age file') });
    const id = await host.place([await host.secret('db', '1'), await host.secret('db-2', '2'), torn]);
    expect(await said(host, 'db')).toBe('');
    expect(await said(host, 'torn')).toContain('not an age file');
    rmSync(host.at('run/autark/secrets/db'));
    expect(await said(host, 'db')).toContain('its value was removed');
    expect(await said(host, 'd')).toContain('no such secret is declared');
    expect(await said(host, 'db-2')).toBe('');
    valueOf(await host.store.place(id));
    expect(await said(host, 'db')).toBe('');
  });
});
