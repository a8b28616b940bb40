import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A request as a fake server saw it. */
export interface SeenRequest {
  code: number;
  extFields: Record<string, string>;
  body: Buffer;
}
export type FakeAnswer =
  | { code: number; remark?: string; body?: string | Buffer }
  | { raw: Buffer }
  | 'hang up'
  | 'say nothing';

/** Name servers and brokers that answer what a test says. */
export interface FakeRemoting {
  /** Starts one more. Answers its host:port. */
  start(answer: (request: SeenRequest) => FakeAnswer): Promise<string>;
  /** Starts a cluster of so many masters and their name server; where `answer` has none, they say that it is done. */
  startCluster(
    answer: (request: SeenRequest, place: 'name server' | number) => FakeAnswer | undefined,
    masters?: number,
  ): Promise<{ nameServer: string; masters: readonly string[]; seen: SeenRequest[] }>;
  close(): void;
}

export function createFakeRemoting(): FakeRemoting {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();

  async function start(answer: (request: SeenRequest) => FakeAnswer): Promise<string> {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('data', (frame: Buffer) => reply(socket, answer(decode(frame))));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  return {
    start,
    async startCluster(answer, count = 1) {
      const seen: SeenRequest[] = [];
      const done = (request: SeenRequest, place: 'name server' | number) => {
        seen.push(request);
        return answer(request, place);
      };
      const masters = await Promise.all(
        Array.from({ length: count }, (_, place) =>
          start((request) => done(request, place) ?? { code: 0, body: '{}' }),
        ),
      );
      const nameServer = await start(
        (request) => done(request, 'name server') ?? ofNameServer(request, masters),
      );
      return { nameServer, masters, seen };
    },
    close() {
      for (const socket of sockets) socket.destroy();
      for (const server of servers.splice(0)) server.close();
    },
  };
}

/** Broker ids come as bare numbers here, which is no JSON. */
function ofNameServer({ code }: SeenRequest, masters: readonly string[]): FakeAnswer {
  const brokers = masters.map((address, place) => [`broker-${place}`, address] as const);
  const table = brokers.map(
    ([name, address]) => `"${name}":{"brokerAddrs":{0:"${address}",1:"127.0.0.1:1"}}`,
  );
  if (code === 106) {
    const names = JSON.stringify(brokers.map(([name]) => name));
    return {
      code: 0,
      body: `{"brokerAddrTable":{${table.join()}},"clusterAddrTable":{"DefaultCluster":${names}}}`,
    };
  }
  const brokerDatas = brokers.map(([brokerName, address]) => ({ brokerName, brokerAddrs: { 0: address } }));
  return { code: 0, body: JSON.stringify({ brokerDatas }) };
}

function decode(frame: Buffer): SeenRequest {
  const headerLength = frame.readInt32BE(4);
  if (frame.readInt32BE(0) !== frame.length - 4) throw new Error('the length of the frame is wrong');
  const header = JSON.parse(frame.toString('utf8', 8, 8 + headerLength)) as Omit<SeenRequest, 'body'>;
  return { ...header, body: frame.subarray(8 + headerLength) };
}

/** In two pieces, as a network may. */
function reply(socket: Socket, answer: FakeAnswer): void {
  if (answer === 'hang up') socket.destroy();
  if (answer === 'hang up' || answer === 'say nothing') return;
  const bytes = 'raw' in answer ? answer.raw : encode(answer);
  socket.write(bytes.subarray(0, 3));
  socket.write(bytes.subarray(3));
}

function encode({ body = '', ...fields }: { code: number; remark?: string; body?: string | Buffer }): Buffer {
  const [head, payload] = [Buffer.from(JSON.stringify(fields)), Buffer.from(body)];
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(4 + head.length + payload.length, 0);
  lengths.writeInt32BE(head.length, 4);
  return Buffer.concat([lengths, head, payload]);
}
