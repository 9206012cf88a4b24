import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { must } from './run.ts';
import { accepts, freePort, serveProgram } from './served.ts';

/** A real nginx with git-http-backend behind it, on the loopback interface: https, with names and passwords. */
export interface HttpsServer {
  readonly port: number;
  /** `https://127.0.0.1:PORT/REPOSITORY`. */
  url(repository: string): string;
  /** The certificate of the authority that signed the server's. */
  readonly authority: string;
  /** Who may come in, and with what; takes effect with the next request. */
  allow(passwords: Readonly<Record<string, string>>): void;
  stop(): Promise<void>;
}

/** @param repositories the folder whose repositories are served */
export async function startHttpsServer(dir: string, repositories: string): Promise<HttpsServer> {
  const folder = join(dir, 'https');
  mkdirSync(folder, { recursive: true });
  const [port, env] = [await freePort(), { PATH: process.env['PATH'] ?? '/usr/bin:/bin' }];
  const file = (name: string): string => join(folder, name);
  await makeCertificates(file, env);
  const allow: HttpsServer['allow'] = (passwords) => {
    const lines = Object.entries(passwords).map(([user, password]) => `${user}:{PLAIN}${password}\n`);
    writeFileSync(file('passwords'), lines.join(''), { mode: 0o600 });
  };
  allow({});
  writeFileSync(file('nginx.conf'), settings(port, repositories, file));
  const backend = await serveProgram({
    file: 'fcgiwrap',
    args: ['-c', '4', '-s', `unix:${file('backend')}`],
    env,
    isUp: () => accepts({ path: file('backend') }),
  });
  const front = await serveProgram({
    file: 'nginx',
    args: ['-p', folder, '-e', 'stderr', '-c', file('nginx.conf')],
    env,
    isUp: () => accepts({ port }),
  }).catch(async (error: unknown) => {
    await backend.stop();
    throw error;
  });
  return {
    port,
    url: (repository) => `https://127.0.0.1:${port}/${repository}`,
    authority: file('authority.crt'),
    allow,
    async stop() {
      await front.stop();
      await backend.stop();
    },
  };
}

/** An authority, and a server's certificate that it signed (openssl-req(1)). */
async function makeCertificates(
  file: (name: string) => string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const make = (name: string, more: readonly string[]): Promise<string> =>
    must(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
        ...['-subj', `/CN=${name}`, '-keyout', file(`${name}.key`), '-out', file(`${name}.crt`), ...more],
      ],
      { env },
    );
  await make('authority', ['-addext', 'basicConstraints=critical,CA:TRUE']);
  await make('server', [
    ...['-CA', file('authority.crt'), '-CAkey', file('authority.key')],
    ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-addext', 'basicConstraints=CA:FALSE'],
  ]);
}

/** git-http-backend(1), "EXAMPLES", for nginx; `Git-Protocol` is what version 2 goes by. */
function settings(port: number, repositories: string, file: (name: string) => string): string {
  return `
daemon off;
user ${userInfo().username} ${userInfo().username};
worker_processes 1;
pid ${file('nginx.pid')};
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log ${file('access.log')};
  client_body_temp_path ${file('body')};
  proxy_temp_path ${file('proxy')};
  fastcgi_temp_path ${file('fastcgi')};
  uwsgi_temp_path ${file('uwsgi')};
  scgi_temp_path ${file('scgi')};
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${file('server.crt')};
    ssl_certificate_key ${file('server.key')};
    client_max_body_size 0;
    auth_basic git;
    auth_basic_user_file ${file('passwords')};
    location / {
      fastcgi_pass unix:${file('backend')};
      fastcgi_buffering off;
      fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
      fastcgi_param GIT_HTTP_EXPORT_ALL "";
      fastcgi_param GIT_PROJECT_ROOT ${repositories};
      fastcgi_param PATH_INFO $uri;
      fastcgi_param REMOTE_USER $remote_user;
      fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
    }
  }
}
`;
}
