import { spawn } from 'node:child_process';
import type { IncomingMessage } from 'node:http';

/** An answer before it is sent, so that it can be another one. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A request of git's over smart HTTP (gitprotocol-http(5)), read whole. */
export interface Asked {
  readonly method: string;
  /** Below the repository, such as `/info/refs`. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Settings of git for one answer, by name. */
export type GitSettings = readonly (readonly [string, string])[];

/** What a real `git http-backend` (git-http-backend(1)) answers for a bare repository. */
export function backend(repository: string, asked: Asked, settings: GitSettings = []): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['http-backend'], {
      env: environment(repository, asked, [['http.receivepack', 'true'], ...settings]),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const out: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.on('error', reject);
    child.on('close', () => {
      resolve(parseAnswer(Buffer.concat(out)));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(asked.body);
  });
}

function environment(repository: string, asked: Asked, settings: GitSettings): Record<string, string> {
  const header = (name: string): string => String(asked.headers[name] ?? '');
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: repository,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_PROJECT_ROOT: repository,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: asked.path,
    REQUEST_METHOD: asked.method,
    QUERY_STRING: asked.query,
    CONTENT_TYPE: header('content-type'),
    CONTENT_LENGTH: String(asked.body.length),
    HTTP_CONTENT_ENCODING: header('content-encoding'),
    HTTP_GIT_PROTOCOL: header('git-protocol'),
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

/** Headers as CGI programs write them (RFC 3875, section 6), of which `Status` becomes the status. */
function parseAnswer(bytes: Buffer): Answer {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return { status: 500, headers: {}, body: bytes };
  const lines = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => line.split(/: (.*)/s).slice(0, 2)) as [string, string][],
  );
  const { Status: status = '200', ...others } = headers;
  return { status: Number(status.split(' ')[0]), headers: others, body: bytes.subarray(end + 4) };
}
