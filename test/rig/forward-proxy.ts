import { createServer, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { listenOn } from './served.ts';

/** A small HTTP proxy (RFC 9110, "CONNECT" and absolute targets) that asks for a name and a password. */
export interface ForwardProxy {
  readonly port: number;
  /** What it was asked for so far, such as `CONNECT 127.0.0.1:443`. */
  readonly asked: readonly string[];
  stop(): Promise<void>;
}

/** @param login `USER:PASSWORD`, which every request must bring; `null` for none */
export async function startForwardProxy(login: string | null): Promise<ForwardProxy> {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const wanted = login === null ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
  const isWelcome = (given: string | undefined): boolean => wanted === undefined || given === wanted;
  const server = createServer((incoming, answer) => {
    const { method = '', url = '', headers } = incoming;
    asked.push(`${method} ${url}`);
    if (!isWelcome(headers['proxy-authorization'])) {
      answer.writeHead(407, { 'Proxy-Authenticate': 'Basic realm="proxy"' }).end();
      return;
    }
    const onward = request(url, { method, headers: { ...headers, 'proxy-authorization': '' } }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  });
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.on('connect', ({ url = '', headers }, client: Socket, head: Buffer) => {
    asked.push(`CONNECT ${url}`);
    client.on('error', () => client.destroy());
    if (!isWelcome(headers['proxy-authorization'])) {
      client.end(
        'HTTP/1.1 407 No\r\nConnection: close\r\nProxy-Authenticate: Basic realm="proxy"\r\nContent-Length: 0\r\n\r\n',
      );
      return;
    }
    const [host = '', port = ''] = url.split(':');
    const onward = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.write(head);
      onward.pipe(client);
      client.pipe(onward);
    });
    onward.on('error', () => client.destroy());
    client.on('close', () => onward.destroy());
  });
  const port = await listenOn(server);
  return {
    port,
    asked,
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
