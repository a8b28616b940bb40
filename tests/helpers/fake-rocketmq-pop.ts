import type { Metadata, Server, ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import rpc from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { statusOf } from './fake-rocketmq-proxy.ts';

type Receive = InstanceType<typeof rpc.ReceiveMessageRequest>;
type Ack = InstanceType<typeof rpc.AckMessageRequest>;
type Change = InstanceType<typeof rpc.ChangeInvisibleDurationRequest>;
type Command = InstanceType<typeof rpc.TelemetryCommand>;

/** What one receive is answered with: bodies, or bytes as they are; then a status, an error of gRPC, or nothing, ever. */
export interface ReceiveScript {
  messages?: readonly (string | Buffer)[];
  end: { code: number; text?: string } | { grpc: number; details: string } | 'silence';
}

/** What the consumer's side of a fake proxy says, and what it was told. Members may be changed at any time. */
export interface FakePop {
  /** What settings are answered with; `silence`: nothing. */
  settings: { fifo: boolean } | { grpc: number; details: string } | 'silence';
  receive: (request: Receive, metadata: Metadata) => ReceiveScript;
  ack: (request: Ack, metadata: Metadata) => { code: number; entries?: readonly number[] };
  change: (request: Change) => { code: number; receiptHandle?: string } | 'silence';
  heartbeat: () => 'answer' | 'silence';
  readonly told: {
    settings: { command: Command; clientId: string }[];
    receives: Receive[];
    acks: Ack[];
    changes: Change[];
    terminations: number;
  };
  /** Ends every telemetry stream. */
  endStreams(): void;
}

export function createFakePop(): FakePop & { extend(server: Server): void } {
  const streams = new Set<ServerDuplexStream<Command, Command>>();
  const told: FakePop['told'] = { settings: [], receives: [], acks: [], changes: [], terminations: 0 };
  const pop: FakePop = {
    settings: { fifo: false },
    receive: () => ({ end: { code: 40_401 } }),
    ack: () => ({ code: 20_000 }),
    heartbeat: () => 'answer',
    change: (request) => ({ code: 20_000, receiptHandle: `${request.getReceiptHandle()}'` }),
    told,
    endStreams: () => {
      for (const stream of streams) stream.end();
    },
  };
  const clientIdOf = (metadata: Metadata) => `${metadata.get('x-mq-client-id')[0]}`;

  function extend(server: Server): void {
    server.addService(SERVICE, {
      telemetry: (stream: ServerDuplexStream<Command, Command>) => {
        streams.add(stream);
        stream.on('error', () => streams.delete(stream));
        stream.on('close', () => streams.delete(stream));
        stream.on('data', (command: Command) => {
          told.settings.push({ command, clientId: clientIdOf(stream.metadata) });
          const answer = pop.settings;
          if (answer === 'silence') return;
          if ('grpc' in answer) {
            stream.emit('error', { code: answer.grpc, details: answer.details });
            return;
          }
          const subscription = new definition.Subscription().setFifo(answer.fifo);
          const settings = new definition.Settings().setSubscription(subscription);
          stream.write(
            new rpc.TelemetryCommand().setStatus(statusOf({ code: 20_000 })).setSettings(settings),
          );
        });
      },
      receiveMessage: (call: ServerWritableStream<Receive, Buffer>) => {
        told.receives.push(call.request);
        const { messages = [], end } = pop.receive(call.request, call.metadata);
        for (const [index, message] of messages.entries()) {
          call.write(typeof message === 'string' ? encodeReceived(message, index) : message);
        }
        if (end === 'silence') return;
        if ('grpc' in end) call.emit('error', { code: end.grpc, details: end.details });
        else {
          call.write(
            Buffer.from(new rpc.ReceiveMessageResponse().setStatus(statusOf(end)).serializeBinary()),
          );
          call.end();
        }
      },
      ackMessage: (call: Call<Ack>, callback: Callback) => {
        told.acks.push(call.request);
        const { code, entries = [] } = pop.ack(call.request, call.metadata);
        const asked = call.request.getEntriesList();
        const results = entries.map((entryCode, index) =>
          new rpc.AckMessageResultEntry()
            .setReceiptHandle(asked[index]?.getReceiptHandle() ?? '')
            .setStatus(statusOf({ code: entryCode })),
        );
        // In no order, as a proxy does that acknowledges in batches.
        callback(
          null,
          new rpc.AckMessageResponse().setStatus(statusOf({ code })).setEntriesList(results.reverse()),
        );
      },
      changeInvisibleDuration: (call: Call<Change>, callback: Callback) => {
        told.changes.push(call.request);
        const answer = pop.change(call.request);
        if (answer === 'silence') return;
        const { code, receiptHandle = '' } = answer;
        const status = statusOf({ code });
        callback(
          null,
          new rpc.ChangeInvisibleDurationResponse().setStatus(status).setReceiptHandle(receiptHandle),
        );
      },
      heartbeat: (_: unknown, callback: Callback) => {
        if (pop.heartbeat() === 'silence') return;
        callback(null, new rpc.HeartbeatResponse().setStatus(statusOf({ code: 20_000 })));
      },
      notifyClientTermination: (_: unknown, callback: Callback) => {
        told.terminations += 1;
        callback(null, new rpc.NotifyClientTerminationResponse().setStatus(statusOf({ code: 20_000 })));
      },
    });
  }
  return Object.assign(pop, { extend });
}

/** A `ReceiveMessageResponse` with a message of this body; its receipt is `receipt-<body>`. */
function encodeReceived(body: string, queueOffset: number): Buffer {
  const system = new definition.SystemProperties()
    .setMessageId(`id-${body}`)
    .setReceiptHandle(`receipt-${body}`)
    .setQueueOffset(queueOffset)
    .setBodyEncoding(definition.Encoding.IDENTITY);
  const message = new definition.Message().setSystemProperties(system).setBody(Buffer.from(body));
  return Buffer.from(new rpc.ReceiveMessageResponse().setMessage(message).serializeBinary());
}

type Call<T> = { request: T; metadata: Metadata };
type Callback = (error: null, response: { serializeBinary(): Uint8Array }) => void;

function method<T>(
  name: string,
  deserialize: (bytes: Uint8Array) => T,
  stream: { request?: boolean; response?: boolean } = {},
) {
  return {
    path: `/apache.rocketmq.v2.MessagingService/${name}`,
    requestStream: stream.request ?? false,
    responseStream: stream.response ?? false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: deserialize,
    responseSerialize: (answer: Buffer | { serializeBinary(): Uint8Array }) =>
      Buffer.isBuffer(answer) ? answer : Buffer.from(answer.serializeBinary()),
    responseDeserialize: (bytes: Buffer) => bytes,
  };
}

const SERVICE = {
  telemetry: method('Telemetry', rpc.TelemetryCommand.deserializeBinary, { request: true, response: true }),
  receiveMessage: method('ReceiveMessage', rpc.ReceiveMessageRequest.deserializeBinary, { response: true }),
  ackMessage: method('AckMessage', rpc.AckMessageRequest.deserializeBinary),
  changeInvisibleDuration: method(
    'ChangeInvisibleDuration',
    rpc.ChangeInvisibleDurationRequest.deserializeBinary,
  ),
  heartbeat: method('Heartbeat', rpc.HeartbeatRequest.deserializeBinary),
  notifyClientTermination: method(
    'NotifyClientTermination',
    rpc.NotifyClientTerminationRequest.deserializeBinary,
  ),
};
