import { createHash } from 'node:crypto';
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Logger } from '../../ports/logger.ts';
import type { OverflowQueue, OverflowRecord } from '../../ports/overflow-queue.ts';
import { inChunks, MAX_ENTRIES } from './in-chunks.ts';

/** Requests of one call that are under way together. */
const CONCURRENT_REQUESTS = 8;
const REQUEST_TIMEOUT_MS = 3_000;

/** SQS: 1 MiB for all messages of one request together; the rest is for what surrounds them. */
const MAX_REQUEST_BYTES = 1_000_000;

/** Where a call puts its records, and for how long it may. */
interface Target {
  queueUrl: string;
  mayBegin: () => boolean;
}

interface Entry {
  index: number;
  record: OverflowRecord;
}

/** A task's own queue on SQS; which kind it is its URL tells. An entry is taken only when SQS named it among the successful ones. */
export function createSqsOverflowQueue({ sqs, logger }: { sqs: SQSClient; logger: Logger }): OverflowQueue {
  async function send({ queueUrl, mayBegin }: Target, chunk: readonly Entry[]): Promise<Set<number>> {
    if (!mayBegin()) return new Set();
    try {
      const answer = await sqs.send(
        new SendMessageBatchCommand({
          QueueUrl: queueUrl,
          Entries: chunk.map(({ index, record }) => ({
            Id: String(index),
            MessageBody: record.body,
            ...(record.groupKey === undefined
              ? {}
              : { MessageGroupId: record.groupKey, MessageDeduplicationId: record.putId }),
          })),
        }),
        { abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) },
      );
      for (const { Id, Code } of answer.Failed ?? []) {
        logger.warn('overflow not accepted', { queueUrl, entry: Id, code: Code });
      }
      return new Set((answer.Successful ?? []).map(({ Id }) => Number(Id)));
    } catch (error) {
      // What SQS did with it is not known: the messages stay unacknowledged, and are put again under the same ids.
      logger.warn('overflow not accepted', { queueUrl, entries: chunk.length, error });
      return new Set();
    }
  }

  /** One chunk after the other; what follows a record of its group that was not taken is not sent. */
  async function sendInOrder(target: Target, entries: readonly Entry[]): Promise<Set<number>> {
    const taken = new Set<number>();
    const stopped = new Set<string | undefined>();
    for (const chunk of packed(entries)) {
      const open = chunk.filter(({ record }) => !stopped.has(record.groupKey));
      const answers = open.length === 0 ? new Set<number>() : await send(target, open);
      for (const { index, record } of open) {
        if (answers.has(index)) taken.add(index);
        else stopped.add(record.groupKey);
      }
    }
    return taken;
  }

  return {
    async put(queueUrl, records, mayBegin = () => true) {
      const target = { queueUrl, mayBegin };
      const entries = records.map((record, index) => ({ index, record }));
      const work = queueUrl.endsWith('.fifo')
        ? streams(entries).map((stream) => () => sendInOrder(target, stream))
        : packed(entries).map((chunk) => () => send(target, chunk));
      const answers = await inChunks(
        work,
        CONCURRENT_REQUESTS,
        (run) => run(),
        () => new Set<number>(),
      );
      const taken = records.map(() => false);
      for (const answer of answers) {
        for (const index of answer) if (index in taken) taken[index] = true;
      }
      return taken;
    },
  };
}

/** Groups side by side: each group belongs to one stream, in which one request follows the other. */
function streams(entries: readonly Entry[]): Entry[][] {
  const byStream = Map.groupBy(entries, ({ record }) => streamOf(record.groupKey ?? ''));
  return [...byStream.values()];
}

function streamOf(groupKey: string): number {
  return createHash('sha1').update(groupKey).digest().readUInt8(0) % CONCURRENT_REQUESTS;
}

/** Fills requests in order, up to ten entries and their bytes. */
function packed(entries: readonly Entry[]): Entry[][] {
  const chunks: Entry[][] = [];
  let chunk: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = Buffer.byteLength(entry.record.body);
    if (chunk.length > 0 && (chunk.length === MAX_ENTRIES || bytes + size > MAX_REQUEST_BYTES)) {
      chunks.push(chunk);
      chunk = [];
      bytes = 0;
    }
    chunk.push(entry);
    bytes += size;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}
