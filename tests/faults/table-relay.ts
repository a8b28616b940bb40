import { startHttpRelay } from './http-relay.ts';

/** An HTTP relay between the functions and DynamoDB. */
export interface TableRelay {
  url: string;
  /** Refuses this share of the requests as DynamoDB does to who asks for too much. */
  throttle(share: number): void;
  /** Every connection is reset. */
  goAway(): void;
  heal(): void;
  close(): Promise<void>;
}

const THROTTLED = JSON.stringify({
  __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
  message: 'The level of configured provisioned throughput for the table was exceeded.',
});

/** @param endpoint - the emulator's */
export async function startTableRelay(endpoint: string): Promise<TableRelay> {
  let isAway = false;
  let share = 0;
  const relay = await startHttpRelay(endpoint, (incoming, outgoing) => {
    if (isAway) {
      incoming.socket.resetAndDestroy();
      return true;
    }
    if (Math.random() >= share) return false;
    incoming.resume();
    outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(THROTTLED);
    return true;
  });
  return {
    url: relay.url,
    throttle(wanted) {
      share = wanted;
    },
    goAway() {
      isAway = true;
      relay.cut();
    },
    heal() {
      isAway = false;
      share = 0;
    },
    close: () => relay.close(),
  };
}
