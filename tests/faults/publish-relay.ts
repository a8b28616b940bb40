import { startHttpRelay } from './http-relay.ts';

/** An HTTP relay between a function and AWS, which knows when a message is published to AWS IoT. */
export interface PublishRelay {
  url: string;
  /** The first message published from now on is held: never forwarded, never answered, however often it comes. */
  begin(): void;
  /** How often it came. */
  readonly attempts: number;
  /** Everything is forwarded again. */
  end(): void;
  close(): Promise<void>;
}

/** `Publish` of the data plane. */
const PUBLISH = /^\/topics\/([^?]+)/;

/** @param endpoint - the emulator's */
export async function startPublishRelay(endpoint: string): Promise<PublishRelay> {
  let isHolding = false;
  let topic: string | undefined;
  let attempts = 0;
  const relay = await startHttpRelay(endpoint, (incoming) => {
    const published = incoming.method === 'POST' ? PUBLISH.exec(incoming.url ?? '')?.[1] : undefined;
    if (!isHolding || published === undefined) return false;
    topic ??= published;
    if (published !== topic) return false;
    attempts += 1;
    incoming.resume();
    return true;
  });
  return {
    url: relay.url,
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
    close: () => relay.close(),
  };
}
