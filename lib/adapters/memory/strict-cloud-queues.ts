import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  InvalidAttributeName,
  InvalidAttributeValue,
  ListQueuesCommand,
  ListQueueTagsCommand,
  QueueDeletedRecently,
  QueueDoesNotExist,
  QueueNameExists,
  SetQueueAttributesCommand,
  TagQueueCommand,
} from '@aws-sdk/client-sqs';
import { createStaleCollection, refused, type StrictContext } from './strict-cloud-parts.ts';

/** The name of a deleted queue is blocked so long. */
const NAME_BLOCKED_MS = 60_000;
/** Counts are behind: they tell how it was. */
const COUNT_LAG_MS = 4_000;

export interface StrictQueue {
  name: string;
  url: string;
  arn: string;
  attributes: Record<string, string>;
  tags: Record<string, string>;
  /** What waits, and what is in hand, newest entry last: counts look back. */
  history: { atMs: number; waiting: number; inFlight: number }[];
}

/** A FIFO queue has its own kind of name, attributes and dead-letter queue, and no other queue has any of them. */
function checkKind(name: string, { FifoQueue, RedrivePolicy = '{}', ...attributes }: Record<string, string>) {
  const isFifo = FifoQueue !== undefined;
  const { deadLetterTargetArn = '' } = JSON.parse(RedrivePolicy) as { deadLetterTargetArn?: string };
  const onlyFifo = ['ContentBasedDeduplication', 'DeduplicationScope', 'FifoThroughputLimit'];
  if (isFifo !== name.endsWith('.fifo') || (isFifo && FifoQueue !== 'true'))
    throw new InvalidAttributeValue(refused('The name of a FIFO queue can only end with .fifo'));
  if (!isFifo && onlyFifo.some((attribute) => attributes[attribute] !== undefined))
    throw new InvalidAttributeName(refused('You can specify it only for FIFO queues'));
  if (deadLetterTargetArn !== '' && deadLetterTargetArn.endsWith('.fifo') !== isFifo)
    throw new InvalidAttributeValue(
      refused('Dead-letter queue must be same type of queue as the source queue'),
    );
}

/** SQS as strict as it is: names blocked after a deletion, other attributes refused, counts and lists behind, new queues not known yet. */
export function createStrictQueues({ clock, region, accountId, queueDelayMs }: StrictContext) {
  const queues = createStaleCollection<StrictQueue>(clock);

  /** As SQS and all who ask it know it: one that was made just now is not there yet. */
  function known(name: string): StrictQueue | undefined {
    const readyAtMs = (queues.madeAtMs(name) ?? 0) + queueDelayMs;
    return clock.now() < readyAtMs ? undefined : queues.get(name);
  }

  function at(url: string | undefined): StrictQueue {
    const queue = known(url?.split('/').at(-1) ?? '');
    if (queue !== undefined) return queue;
    throw new QueueDoesNotExist(refused('The specified queue does not exist.'));
  }

  function create(name: string, attributes: Record<string, string>, tags: Record<string, string>): string {
    checkKind(name, attributes);
    const existing = queues.get(name);
    if (existing !== undefined) {
      const differs = Object.entries(attributes).some(([key, value]) => existing.attributes[key] !== value);
      if (differs)
        throw new QueueNameExists(refused('A queue already exists with the same name and other attributes'));
      return existing.url;
    }
    const removedAtMs = queues.removedAtMs(name);
    if (removedAtMs !== undefined && clock.now() < removedAtMs + NAME_BLOCKED_MS) {
      throw new QueueDeletedRecently(refused('You must wait 60 seconds after deleting a queue'));
    }
    const url = `https://sqs.${region}.amazonaws.com/${accountId}/${name}`;
    const arn = `arn:aws:sqs:${region}:${accountId}:${name}`;
    queues.add(name, {
      name,
      url,
      arn,
      attributes: { VisibilityTimeout: '30', MessageRetentionPeriod: '345600', ...attributes },
      tags,
      history: [{ atMs: clock.now(), waiting: 0, inFlight: 0 }],
    });
    return url;
  }

  function counts(queue: StrictQueue) {
    const lookBackMs = clock.now() - COUNT_LAG_MS;
    return queue.history.findLast(({ atMs }) => atMs <= lookBackMs) ?? { waiting: 0, inFlight: 0 };
  }

  function attributesOf(queue: StrictQueue): Record<string, string> {
    const { waiting, inFlight } = counts(queue);
    return {
      ...queue.attributes,
      QueueArn: queue.arn,
      ApproximateNumberOfMessages: String(waiting),
      ApproximateNumberOfMessagesDelayed: '0',
      ApproximateNumberOfMessagesNotVisible: String(inFlight),
    };
  }

  /** Answers a command of the SDK, or throws its exception. */
  function handle(command: unknown): unknown {
    if (command instanceof CreateQueueCommand) {
      const { QueueName = '', Attributes = {}, tags = {} } = command.input;
      return { QueueUrl: create(QueueName, Attributes as Record<string, string>, { ...tags }) };
    }
    if (command instanceof GetQueueUrlCommand) return { QueueUrl: at(command.input.QueueName).url };
    if (command instanceof GetQueueAttributesCommand)
      return { Attributes: attributesOf(at(command.input.QueueUrl)) };
    if (command instanceof SetQueueAttributesCommand) {
      if (command.input.Attributes?.FifoQueue !== undefined)
        throw new InvalidAttributeName(refused('Unknown Attribute FifoQueue.'));
      Object.assign(at(command.input.QueueUrl).attributes, command.input.Attributes);
      return {};
    }
    if (command instanceof TagQueueCommand) {
      Object.assign(at(command.input.QueueUrl).tags, command.input.Tags);
      return {};
    }
    if (command instanceof ListQueueTagsCommand) return { Tags: { ...at(command.input.QueueUrl).tags } };
    if (command instanceof DeleteQueueCommand) {
      queues.remove(at(command.input.QueueUrl).name);
      return {};
    }
    if (command instanceof ListQueuesCommand) {
      const { QueueNamePrefix: prefix = '' } = command.input;
      const listed = queues.listed().filter(({ name }) => name.startsWith(prefix));
      return { QueueUrls: listed.map(({ value }) => value.url) };
    }
    throw new TypeError('the strict cloud does not know this command of SQS');
  }

  /** Changes how many messages wait and are in hand; the counts show it later. */
  function change(queue: StrictQueue, delta: { waiting?: number; inFlight?: number }): void {
    const last = queue.history.at(-1);
    queue.history.push({
      atMs: clock.now(),
      waiting: (last?.waiting ?? 0) + (delta.waiting ?? 0),
      inFlight: (last?.inFlight ?? 0) + (delta.inFlight ?? 0),
    });
  }

  return { handle, queues, known, change };
}
