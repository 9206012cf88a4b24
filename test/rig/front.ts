import { connect, createServer, type Socket } from 'node:net';
import { listenOn } from './served.ts';

/** What a server does with a connection. */
export type Manner =
  /** Hands it to the honest server. */
  | { readonly kind: 'honest' }
  /** Takes it and says nothing, ever. */
  | { readonly kind: 'silent' }
  /** Says these bytes, one a second, over and over. */
  | { readonly kind: 'drip'; readonly bytes: string }
  /** Waits for the first bytes of the client, says this at once, and hangs up. */
  | { readonly kind: 'says'; readonly bytes: string | Uint8Array }
  /** The same without end. */
  | { readonly kind: 'floods'; readonly bytes: string }
  /** Lets this many bytes of the honest server's through, and then nothing. */
  | { readonly kind: 'stalls'; readonly after: number }
  /** Hangs up at once. */
  | { readonly kind: 'closes' };

/** Stands in front of an honest server and is what the test wants it to be, for each new connection. */
export interface Front {
  readonly port: number;
  be(manner: Manner): void;
  /** How many connections came since this was last asked. */
  connections(): number;
  stop(): Promise<void>;
}

export async function startFront(honestPort: number): Promise<Front> {
  const open = new Set<Socket>();
  let manner: Manner = { kind: 'honest' };
  let count = 0;
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket));
  };
  const server = createServer((client) => {
    count += 1;
    keep(client);
    serve(client, manner, honestPort, keep);
  });
  const port = await listenOn(server);
  return {
    port,
    be(next) {
      manner = next;
    },
    connections() {
      const seen = count;
      count = 0;
      return seen;
    },
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function serve(client: Socket, manner: Manner, honestPort: number, keep: (socket: Socket) => void): void {
  switch (manner.kind) {
    case 'honest':
    case 'stalls': {
      const server = connect(honestPort, '127.0.0.1');
      keep(server);
      client.pipe(server);
      if (manner.kind === 'honest') server.pipe(client);
      else stall(server, client, manner.after);
      client.on('close', () => server.destroy());
      if (manner.kind === 'honest') server.on('close', () => client.destroy());
      return;
    }
    case 'silent':
      client.resume();
      return;
    case 'drip':
      client.resume();
      drip(client, manner.bytes);
      return;
    case 'says':
      client.once('data', () => client.end(manner.bytes));
      return;
    case 'floods':
      client.once('data', () => {
        flood(client, manner.bytes);
      });
      return;
    case 'closes':
      client.destroy();
      return;
  }
}

/** The time between two bytes is what this server is about. */
function drip(client: Socket, bytes: string): void {
  let at = 0;
  const timer = setInterval(() => client.write(bytes[at++ % bytes.length] ?? ''), 1000);
  client.on('close', () => {
    clearInterval(timer);
  });
}

function flood(client: Socket, bytes: string): void {
  const more = (): void => {
    while (!client.destroyed && client.write(bytes)) if (client.writableNeedDrain) break;
  };
  client.resume().on('drain', more);
  more();
}

function stall(server: Socket, client: Socket, after: number): void {
  let left = after;
  server.on('data', (chunk: Buffer) => {
    client.write(chunk.subarray(0, Math.max(0, left)));
    left -= chunk.length;
  });
}
