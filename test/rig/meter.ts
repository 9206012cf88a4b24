import { connect, createServer, type Socket } from 'node:net';
import { listenOn } from './served.ts';

/** What went through since the meter was last read, both directions together. */
export interface Reading {
  readonly bytes: number;
  readonly connections: number;
}

/** Stands in front of a server and counts. */
export interface Meter {
  readonly port: number;
  read(): Reading;
  stop(): Promise<void>;
}

export async function startMeter(to: number): Promise<Meter> {
  const open = new Set<Socket>();
  let [bytes, connections] = [0, 0];
  const server = createServer((client) => {
    connections += 1;
    const behind = connect(to, '127.0.0.1');
    for (const [from, into] of [
      [client, behind],
      [behind, client],
    ] as const) {
      open.add(from);
      from.on('data', (chunk: Buffer) => (bytes += chunk.length));
      from.on('error', () => from.destroy()).on('close', () => open.delete(from));
      from.pipe(into);
    }
  });
  const port = await listenOn(server);
  return {
    port,
    read() {
      const seen = { bytes, connections };
      [bytes, connections] = [0, 0];
      return seen;
    },
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
