import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from './run.ts';

/** A provider of servers, as `examples/rented-server` uses one: on the loopback interface, with names and passwords. */
export interface Provider {
  readonly url: string;
  /** Each request that was let in, oldest first: `METHOD PATH as NAME`. */
  calls(): readonly string[];
  stop(): Promise<void>;
}

/** The main account's; what it makes for a server is `SERVER-sub`. */
export const mainAccount = { user: 'main@example.org', password: 'hunter2-of-the-main-account' };
export const subPassword = 'swordfish-of-the-sub-account';

/** What the provider installs: a system with one file, `/letter`. */
export async function imageWith(letter: string): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'autark-test-image-'));
  try {
    writeFileSync(join(folder, 'letter'), letter);
    const env = { PATH: process.env['PATH'] ?? '' };
    await must('tar', ['--create', '--file', 'image.tar', 'letter'], { cwd: folder, env });
    return readFileSync(join(folder, 'image.tar'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param image what a sub-account may fetch */
export async function startProvider(image: Uint8Array): Promise<Provider> {
  const calls: string[] = [];
  const passwords = new Map([[mainAccount.user, mainAccount.password]]);
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await textOf(request);
    const [user, password] = credentialsOf(request);
    const end = (code: number, answer: string | Uint8Array = ''): void =>
      void response.writeHead(code).end(answer);
    if (password === '' || passwords.get(user) !== password) {
      end(401);
      return;
    }
    const what = `${request.method ?? ''} ${request.url ?? ''}`;
    calls.push(`${what} as ${user}`);
    const isMain = user === mainAccount.user;
    if (what === 'GET /image') {
      end(isMain ? 403 : 200, isMain ? '' : image);
      return;
    }
    const sub = `${new URLSearchParams(body).get('name') ?? ''}-sub`;
    if (what !== 'POST /accounts' || !isMain) end(403);
    else if (passwords.has(sub)) end(409);
    else {
      passwords.set(sub, subPassword);
      end(201, `${sub}\n${subPassword}\n`);
    }
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls: () => [...calls],
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function credentialsOf({ headers }: IncomingMessage): readonly [user: string, password: string] {
  const encoded = /^Basic (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
  const [, user = '', password = ''] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  return [user, password];
}
