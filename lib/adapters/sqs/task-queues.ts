import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  type QueueAttributeName,
  SetQueueAttributesCommand,
  type SQSClient,
  TagQueueCommand,
} from '@aws-sdk/client-sqs';
import { ControlPlaneError } from '../../domain/errors/control-plane-error.ts';
import type { QueueCounter, TaskQueue, TaskQueueSpec, TaskQueues } from '../../ports/task-queues.ts';
import { controlPlaneCall } from '../aws/control-plane-call.ts';
import { errorOfSqs, isNameTaken, isNoSuchQueue } from './errors.ts';
import { backlogOf, COUNTS } from './queue-counter.ts';

/** What a queue is for its life, and cannot be told again later. */
const FIFO_QUEUE = { FifoQueue: 'true' } as const;
/** High throughput: the limit is that of a message group. Who sends names the id against copies. */
const FIFO_ATTRIBUTES = {
  ContentBasedDeduplication: 'false',
  DeduplicationScope: 'messageGroup',
  FifoThroughputLimit: 'perMessageGroupId',
} as const;

const LIST_PAGE = 1_000;
/** A hundred thousand queues of one stack: far beyond any limit of AWS IoT on rules. */
const MAX_PAGES = 100;

/** The queues of tasks on SQS. SQS names no rate that converge could reach: calls are not paced. */
export function createSqsTaskQueues({ sqs }: { sqs: Pick<SQSClient, 'send'> }): TaskQueues & QueueCounter {
  const call = <T>(doing: string, send: (options: { abortSignal: AbortSignal }) => Promise<T>) =>
    controlPlaneCall(undefined, send, (error) => errorOfSqs(error, doing));

  async function urlOf(name: string): Promise<string | undefined> {
    const answer = await unlessGone(() =>
      call(`looking up queue ${name}`, (options) =>
        sqs.send(new GetQueueUrlCommand({ QueueName: name }), options),
      ),
    );
    return answer?.QueueUrl;
  }

  async function attributesOf(url: string): Promise<Partial<Record<string, string>>> {
    const answer = await call(`reading queue ${url}`, (options) =>
      sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }), options),
    );
    return answer.Attributes ?? {};
  }

  /** An existing queue of the same attributes is answered as if it had been made; one of others is refused. */
  async function create(spec: TaskQueueSpec): Promise<string> {
    const { name, tags } = spec;
    const created = await call(`creating queue ${name}`, async (options) => {
      const command = new CreateQueueCommand({
        QueueName: name,
        Attributes: { ...attributes(spec), ...(spec.isFifo ? FIFO_QUEUE : {}) },
        tags: { ...tags },
      });
      return sqs.send(command, options).catch((error: unknown) => {
        if (isNameTaken(error)) return undefined;
        throw error;
      });
    });
    const url = created?.QueueUrl ?? (await urlOf(name));
    if (url !== undefined) return url;
    throw new ControlPlaneError(`creating queue ${name}: it is there and is not there`, {
      code: 'QUEUE_UNCLEAR',
      reaction: 'not-yet',
    });
  }

  return {
    async ensure(spec) {
      const url = await create(spec);
      const found = await attributesOf(url);
      const wanted = attributes(spec);
      if (Object.entries(wanted).some(([name, value]) => !sameAttribute(name, found[name], value))) {
        await call(`changing queue ${spec.name}`, (options) =>
          sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: wanted }), options),
        );
      }
      await call(`tagging queue ${spec.name}`, (options) =>
        sqs.send(new TagQueueCommand({ QueueUrl: url, Tags: { ...spec.tags } }), options),
      );
      return { url, arn: arnOf(found, spec.name) };
    },

    async describe(name) {
      const url = await urlOf(name);
      if (url === undefined) return undefined;
      return unlessGone(async () => {
        const found = await attributesOf(url);
        const { Tags = {} } = await call(`reading the tags of queue ${name}`, (options) =>
          sqs.send(new ListQueueTagsCommand({ QueueUrl: url }), options),
        );
        return queueOf(name, url, found, Tags);
      });
    },

    async delete(url) {
      await unlessGone(() =>
        call(`deleting queue ${url}`, (options) =>
          sqs.send(new DeleteQueueCommand({ QueueUrl: url }), options),
        ),
      );
    },

    async list(namePrefix) {
      const names: string[] = [];
      let NextToken: string | undefined;
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const answer = await call('listing queues', (options) =>
          sqs.send(
            new ListQueuesCommand({ QueueNamePrefix: namePrefix, MaxResults: LIST_PAGE, NextToken }),
            options,
          ),
        );
        for (const url of answer.QueueUrls ?? []) names.push(url.slice(url.lastIndexOf('/') + 1));
        NextToken = answer.NextToken;
        if (NextToken === undefined) break;
      }
      return names;
    },

    async backlog(queueUrl) {
      const answer = await unlessGone(() =>
        call(`counting queue ${queueUrl}`, (options) =>
          sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: COUNTS }), options),
        ),
      );
      return answer && backlogOf(answer);
    },
  };
}

function attributes(spec: TaskQueueSpec): Partial<Record<QueueAttributeName, string>> {
  const { deadLetterQueueArn: deadLetterTargetArn, maxReceiveCount } = spec;
  return {
    VisibilityTimeout: String(spec.visibilityTimeoutSeconds),
    MessageRetentionPeriod: String(spec.retentionSeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }),
    ...(spec.isFifo ? FIFO_ATTRIBUTES : {}),
  };
}

/** SQS may write the redrive policy's JSON in its own way. */
function sameAttribute(name: string, found: string | undefined, wanted: string): boolean {
  if (name !== 'RedrivePolicy' || found === undefined) return found === wanted;
  const a = redrivePolicy(found);
  const b = redrivePolicy(wanted);
  return a.deadLetterQueueArn === b.deadLetterQueueArn && a.maxReceiveCount === b.maxReceiveCount;
}

function redrivePolicy(text: string | undefined): { deadLetterQueueArn?: string; maxReceiveCount?: number } {
  if (text === undefined || text === '') return {};
  const policy = JSON.parse(text) as { deadLetterTargetArn?: unknown; maxReceiveCount?: unknown };
  return {
    deadLetterQueueArn: String(policy.deadLetterTargetArn),
    maxReceiveCount: Number(policy.maxReceiveCount),
  };
}

function queueOf(
  name: string,
  url: string,
  found: Partial<Record<string, string>>,
  tags: Readonly<Record<string, string>>,
): TaskQueue {
  return {
    url,
    arn: arnOf(found, name),
    visibilityTimeoutSeconds: Number(found.VisibilityTimeout),
    retentionSeconds: Number(found.MessageRetentionPeriod),
    ...redrivePolicy(found.RedrivePolicy),
    ...(found.FifoQueue === 'true' ? { isFifo: true } : {}),
    tags,
  };
}

function arnOf(found: Partial<Record<string, string>>, name: string): string {
  if (found.QueueArn !== undefined) return found.QueueArn;
  throw new ControlPlaneError(`reading queue ${name}: SQS did not name its ARN`, {
    code: 'QUEUE_UNCLEAR',
    reaction: 'not-yet',
  });
}

async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ControlPlaneError && isNoSuchQueue(error.cause)) return undefined;
    throw error;
  }
}
