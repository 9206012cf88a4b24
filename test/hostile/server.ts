import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { listenOn } from '../rig/served.ts';
import { backend, type Answer, type Asked, type GitSettings } from './cgi.ts';
import { answerWith, asksForPack, endlessBeginning, inBand, type Lie, wantsOf } from './packs.ts';
import { makeViews, type Refs } from './views.ts';

/** What the server is to a client. */
export type Manner =
  /** A Git server like any other. */
  | { readonly kind: 'honest' }
  /** Shows another repository in this one's place, and takes pushes into that. */
  | { readonly kind: 'shows'; readonly repository: string }
  /** Says that some refs are elsewhere, or nowhere; takes pushes as ever. */
  | { readonly kind: 'moves'; readonly refs: Refs }
  /** Says that there are no refs with these beginnings. */
  | { readonly kind: 'hides'; readonly refs: readonly string[] }
  /** Takes every push, says that it went well, and keeps nothing of it. */
  | { readonly kind: 'swallows' }
  /** Takes no push. */
  | { readonly kind: 'refuses' }
  /** Makes up the packs that it sends. */
  | ({ readonly kind: 'lies' } & Lie)
  /** Ends each pack after so many bytes. */
  | { readonly kind: 'cuts'; readonly after: number }
  /** Sends messages instead of a pack, without end. */
  | { readonly kind: 'endless' }
  /** Sends the client elsewhere. */
  | { readonly kind: 'redirects'; readonly to: string };

/**
 * A Git server over http on the loopback interface. A real one, for what answers is git itself; but it tells its
 * clients apart by the first part of the address, and may be something else to each of them.
 */
export interface MaliciousServer {
  /** Where this client has to go. */
  url(client: string): string;
  /** To this client from now on; to all if none is named. */
  be(manner: Manner, client?: string): void;
  /** The repository as it is now, to be shown again when it has gone on. */
  snapshot(): Promise<string>;
  /** How often a client asked anything, and for which objects, since this was last asked. */
  asked(client: string): { readonly times: number; readonly wants: readonly string[] };
  stop(): Promise<void>;
}

/**
 * @param repository a bare one
 * @param folder for the other repositories that it shows
 */
export async function startMaliciousServer(repository: string, folder: string): Promise<MaliciousServer> {
  const views = makeViews(repository, folder);
  const refusing = await makeRefusingHooks(folder);
  const manners = new Map<string, Manner>();
  let common: Manner = { kind: 'honest' };
  let asked: { client: string; wants: readonly string[] }[] = [];

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { client, ...query } = await read(request);
    asked.push({ client, wants: wantsOf(query) });
    const manner = manners.get(client) ?? common;
    const means = { repository, refusing, view: (refs: Refs) => views.view(refs) };
    const answer = await answerAs(manner, query, means);
    if (answer !== null) send(response, answer, manner);
    else flood(response, query);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await listenOn(server);
  const { port } = server.address() as AddressInfo;

  return {
    url: (client) => `http://127.0.0.1:${port}/${client}/fleet.git`,
    be(manner, client) {
      if (client !== undefined) {
        manners.set(client, manner);
        return;
      }
      manners.clear();
      common = manner;
    },
    snapshot: () => views.snapshot(),
    asked(client) {
      const theirs = asked.filter((each) => each.client === client);
      asked = asked.filter((each) => each.client !== client);
      return { times: theirs.length, wants: theirs.flatMap(({ wants }) => wants) };
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function makeRefusingHooks(folder: string): Promise<string> {
  const hooks = join(folder, 'refusing');
  await mkdir(hooks, { recursive: true });
  await writeFile(join(hooks, 'pre-receive'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return hooks;
}

async function read(request: IncomingMessage): Promise<Asked & { readonly client: string }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { pathname, search } = new URL(request.url ?? '/', 'http://server');
  const [, client = '', , ...rest] = pathname.split('/');
  return {
    client,
    method: request.method ?? 'GET',
    path: `/${rest.join('/')}`,
    query: search.slice(1),
    headers: request.headers,
    body: Buffer.concat(chunks),
  };
}

/** What the server has to answer with. */
interface Means {
  readonly repository: string;
  /** A folder with hooks that let nothing through. */
  readonly refusing: string;
  readonly view: (refs: Refs) => Promise<string>;
}

/** The whole answer; `null` for one that has no end. */
async function answerAs(
  manner: Manner,
  asked: Asked,
  { repository, refusing, view }: Means,
): Promise<Answer | null> {
  switch (manner.kind) {
    case 'shows':
      return backend(manner.repository, asked);
    case 'hides':
      return backend(
        repository,
        asked,
        manner.refs.map((ref): GitSettings[number] => ['transfer.hideRefs', ref]),
      );
    case 'swallows':
      return backend(isPush(asked) ? await view({}) : repository, asked);
    case 'moves':
      return backend(isPush(asked) ? repository : await view(manner.refs), asked);
    case 'refuses':
      return backend(repository, asked, [['core.hooksPath', refusing]]);
    case 'redirects':
      return { status: 302, headers: { Location: `${manner.to}${asked.path}?${asked.query}` }, body: empty };
    case 'lies':
      return asksForPack(asked) ? answerWith(repository, asked, manner) : backend(repository, asked);
    case 'endless':
      return asksForPack(asked) ? null : backend(repository, asked);
    case 'honest':
    case 'cuts':
      return backend(repository, asked);
  }
}

const empty = Buffer.alloc(0);

function isPush({ path, query }: Asked): boolean {
  return path === '/git-receive-pack' || query === 'service=git-receive-pack';
}

function send(response: ServerResponse, { status, headers, body }: Answer, manner: Manner): void {
  response.writeHead(status, headers);
  if (manner.kind === 'cuts' && headers['Content-Type'] === 'application/x-git-upload-pack-result') {
    response.write(body.subarray(0, manner.after), () => response.destroy());
    return;
  }
  response.end(body);
}

/** Talks for as long as anybody listens. */
function flood(response: ServerResponse, asked: Asked): void {
  const [chatter = empty] = inBand(2, Buffer.from(`${'so much to tell you '.repeat(50)}\n`));
  response.writeHead(200, { 'Content-Type': 'application/x-git-upload-pack-result' });
  response.write(endlessBeginning(asked));
  const more = (): void => {
    while (!response.destroyed && response.write(chatter)) if (response.writableNeedDrain) break;
  };
  response.on('drain', more);
  more();
}
