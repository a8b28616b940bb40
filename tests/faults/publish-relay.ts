import type { IncomingMessage } from 'node:http';
import { type Answered, startHttpRelay } from './http-relay.ts';

/** An HTTP relay between a function and AWS, which knows what is asked of the data plane of AWS IoT. */
export interface PublishRelay {
  url: string;
  /** The data plane answers nothing, and closes nothing. */
  swallow(): void;
  /** Every request to the data plane has its connection reset. */
  reset(): void;
  /** The data plane works again; connections of requests that were swallowed stay without an answer. */
  heal(): void;
  /** Requests that were swallowed or reset. */
  readonly refused: number;
  /** The first message published from now on is held: never forwarded, never answered, however often it comes. */
  begin(): void;
  /** How often it came. */
  readonly attempts: number;
  /** Everything is forwarded again. */
  end(): void;
  /** Tells of each message that AWS IoT has accepted (200) from now on. @returns what ends it */
  onAccepted(tell: (topic: string, payload: Buffer) => void): () => void;
  close(): Promise<void>;
}

/** `Publish` of the data plane. */
const PUBLISH = /^\/topics\/([^?]+)/;
/** All that is asked of the data plane: what is published, and what a publisher's check looks at. */
const DATA_PLANE = /^\/(topics|retainedMessage)\//;

/** @param endpoint - the emulator's */
export async function startPublishRelay(endpoint: string): Promise<PublishRelay> {
  let mode: 'pass' | 'swallow' | 'reset' = 'pass';
  let refused = 0;
  let isHolding = false;
  let topic: string | undefined;
  let attempts = 0;
  const listeners = new Set<(topic: string, payload: Buffer) => void>();

  function intercept(incoming: IncomingMessage): boolean {
    if (mode !== 'pass' && DATA_PLANE.test(incoming.url ?? '')) {
      refused += 1;
      if (mode === 'reset') incoming.socket.resetAndDestroy();
      else incoming.resume();
      return true;
    }
    const published = publishedTo(incoming.method, incoming.url);
    if (!isHolding || published === undefined) return false;
    topic ??= published;
    if (published !== topic) return false;
    attempts += 1;
    incoming.resume();
    return true;
  }

  function onAnswered({ method, path, body, status }: Answered): void {
    const published = status === 200 ? publishedTo(method, path) : undefined;
    if (published === undefined) return;
    const topicName = decodeURIComponent(published);
    for (const tell of listeners) tell(topicName, body);
  }

  const relay = await startHttpRelay(endpoint, { intercept, onAnswered });
  return {
    url: relay.url,
    swallow() {
      mode = 'swallow';
    },
    reset() {
      mode = 'reset';
    },
    heal() {
      mode = 'pass';
    },
    get refused() {
      return refused;
    },
    begin() {
      isHolding = true;
      topic = undefined;
      attempts = 0;
    },
    get attempts() {
      return attempts;
    },
    end() {
      isHolding = false;
    },
    onAccepted(tell) {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    close: () => relay.close(),
  };
}

/** The topic as it stands in the path; undefined: the request publishes nothing. */
function publishedTo(method = '', path = ''): string | undefined {
  return method === 'POST' ? PUBLISH.exec(path)?.[1] : undefined;
}
