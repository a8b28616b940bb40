import {
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { encodeHandOver } from '../../domain/dead-letters/dead-letter.ts';
import type { DeadLetterQueue } from '../../ports/dead-letter-hand-over.ts';
import type { Logger } from '../../ports/logger.ts';
import { inChunks, MAX_ENTRIES } from './in-chunks.ts';

const CONCURRENT_REQUESTS = 4;
const REQUEST_TIMEOUT_MS = 5_000;

/** SQS: 1 MiB for one message and for all messages of one request together. */
const MAX_REQUEST_BYTES = 1_048_576;

interface Body {
  index: number;
  text: string;
}

/** The hand-over queue on SQS. An entry is accepted only when SQS named it among the successful ones. */
export function createSqsDeadLetterQueue({
  sqs,
  queueUrl,
  logger,
}: {
  sqs: SQSClient;
  queueUrl: string;
  logger: Logger;
}): DeadLetterQueue {
  async function sendChunk(chunk: readonly Body[]): Promise<number[]> {
    const entries: SendMessageBatchRequestEntry[] = chunk.map(({ index, text }) => ({
      Id: String(index),
      MessageBody: text,
    }));
    const answer = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }), {
      abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    for (const refused of answer.Failed ?? []) {
      logger.warn('dead letter not accepted', { entry: refused.Id, code: refused.Code });
    }
    const sent = new Set(entries.map((entry) => entry.Id));
    return (answer.Successful ?? []).filter(({ Id }) => sent.has(Id)).map(({ Id }) => Number(Id));
  }

  return {
    async send(entries) {
      const chunks = packed(entries.map((entry, index) => ({ index, text: encodeHandOver(entry) })));
      const accepted = await inChunks(chunks, CONCURRENT_REQUESTS, sendChunk, (chunk, error) => {
        logger.warn('dead letters not accepted', { entries: chunk.length, error });
        return [];
      });
      const answers = entries.map(() => false);
      for (const index of accepted.flat()) answers[index] = true;
      return answers;
    },
  };
}

/** Fills requests in order, up to ten entries and 1 MiB each. A larger entry goes alone, for SQS to refuse. */
function packed(bodies: readonly Body[]): Body[][] {
  const chunks: Body[][] = [];
  let bytes = 0;
  for (const body of bodies) {
    const size = Buffer.byteLength(body.text);
    const last = chunks.at(-1);
    if (last === undefined || last.length === MAX_ENTRIES || bytes + size > MAX_REQUEST_BYTES) {
      chunks.push([body]);
      bytes = size;
    } else {
      last.push(body);
      bytes += size;
    }
  }
  return chunks;
}
