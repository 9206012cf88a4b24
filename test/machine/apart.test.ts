import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lab, type LabHost, labNeeds, makeLab } from '../rig/lab.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { describeWith } from '../rig/needs.ts';

/** Leaves what it could not do, a program that anybody could run as root, and a process that outlives it. */
const build = [
  '#!/bin/sh',
  'set -e',
  'mkdir "$out/bin"',
  'id -un >"$out/builder"',
  'for path in /etc/autark/agent.yaml /var/lib/autark/key /var/lib/autark/git/id_ed25519 /etc/ssh/ssh_host_ed25519_key; do',
  '  if cat "$path" >/dev/null 2>&1; then echo "read $path" >>"$out/reached"; fi',
  'done',
  'for path in /var/lib/autark/journal.json /var/lib/autark/git/fleet.git/config /etc/passwd; do',
  '  if (echo x >>"$path") 2>/dev/null; then echo "wrote to $path" >>"$out/reached"; fi',
  'done',
  'cp /bin/sh "$out/shell" && chmod 4755 "$out/shell"',
  'cp word "$out/word"',
  'setsid sleep 7654321 >/dev/null 2>&1 &',
  'cp switch "$out/bin/switch-to-configuration" && chmod 755 "$out/bin/switch-to-configuration"',
  '',
].join('\n');

const activation = '#!/bin/sh\nid -un >/srv/activator\n';

describeWith([...labNeeds], 'git and builds on an installed machine are users of their own (S7)', () => {
  let lab: Lab;
  let host: LabHost;
  beforeAll(async () => {
    lab = await makeLab('autark-apart');
    const files = { build: { executable: build }, switch: { executable: activation }, word: 'one\n' };
    await lab.fleet.server.commit({ files, subject: 'Begin' });
    host = await lab.join('web1', ['--system', 'exec', '--build', 'build']);
    const revision = await lab.fleet.server.commit({ files: { word: 'two\n' }, subject: 'Change' });
    expect(await host.settles(revision)).toBe('deployed');
  });
  afterAll(() => lab.remove());
  journalsOnFailure(() => [host]);

  const shell = (script: string): Promise<string> => host.must(['sh', '-c', script]);

  test('a record says nothing of what is missing', async () => {
    expect((await host.records()).at(-1)?.status).toMatchObject({ guarantees: [] });
  });

  test('everything in the Git directory is the user’s of git, and the key that it is handed is root’s', async () => {
    expect(await shell('find /var/lib/autark/git/fleet.git -printf "%u\\n" | sort -u')).toBe('autark-git');
    expect(await shell('stat --format "%U %G %a" /var/lib/autark/git/handed/key')).toBe(
      'root autark-git 640',
    );
    expect(await shell('stat --format "%U %a" /var/lib/autark/git/id_ed25519')).toBe('root 600');
  });

  test('a build is a user without rights, and nothing of it outlives it', async () => {
    expect(await shell('cat /var/lib/autark/current/system/builder')).toBe('autark-build');
    expect(await shell('cat /var/lib/autark/systems/*/reached 2>/dev/null || true')).toBe('');
    expect(await shell('ps -eo user:20,args | grep -E "^autark-build|[7]654321" || true')).toBe('');
  });

  test('what it built is root’s, and no program in it is root for everybody', async () => {
    expect(await shell('find /var/lib/autark/systems -printf "%u:%g\\n" | sort -u')).toBe('root:root');
    expect(await shell('find /var/lib/autark/systems -perm /6000')).toBe('');
  });

  test('what switches the system is root', async () => {
    expect(await shell('cat /srv/activator')).toBe('root');
  });

  test('doctor reaches the server as git does', async () => {
    const { stdout } = await host.autark(['doctor']);
    expect(stdout).toMatch(/remote ssh:\/\/\S+ can be reached, and main is at [0-9a-f]{7}/);
    expect(await shell('ls /tmp | grep -c autark-doctor || true')).toBe('0');
  });
});
