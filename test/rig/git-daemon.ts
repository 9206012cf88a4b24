import { accepts, freePort, serveProgram } from './served.ts';

/** A real `git daemon` on the loopback interface, which lets everybody read and write (git-daemon(1)). */
export interface GitDaemon {
  readonly port: number;
  url(repository: string): string;
  stop(): Promise<void>;
}

/** @param folder what lies below it is served */
export async function startGitDaemon(folder: string): Promise<GitDaemon> {
  const port = await freePort();
  const served = await serveProgram({
    file: 'git',
    args: [
      'daemon',
      '--listen=127.0.0.1',
      `--port=${port}`,
      '--reuseaddr',
      `--base-path=${folder}`,
      '--export-all',
      '--enable=receive-pack',
      folder,
    ],
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: folder, GIT_CONFIG_NOSYSTEM: '1' },
    isUp: () => accepts({ port }),
  });
  return { port, url: (repository) => `git://127.0.0.1:${port}/${repository}`, stop: () => served.stop() };
}
