import { setTimeout as delay } from 'node:timers/promises';
import { InvokeCommand, type InvokeCommandOutput, LambdaClient } from '@aws-sdk/client-lambda';
import {
  ChangeMessageVisibilityBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { DATA_PLANE_SQS_CLIENT } from '../../../lib/adapters/sqs/client-options.ts';
import { rootConfig } from '../../../local/deploy.ts';
import { sqsEvent } from '../../helpers/sqs-event.ts';
import type { Fault, FaultContext } from '../fault.ts';
import type { Pair } from '../pairs.ts';
import { type FaultStage, FUNCTIONS } from '../stage.ts';

/** So long no acknowledgement arrives, either way: what is unacknowledged is given again on the next connection. */
const UNHEARD_MS = 2_000;
const BATCHES = 5;
/** The batching function takes most of what there is, and each look finds what it has not taken yet. */
const LOOKS = 60;
const HIDDEN_SECONDS = 60;
const WAIT_SECONDS = 1;

/** What is given twice. */
export const REPEATED_FAULTS: readonly Fault[] = [
  {
    name: 'duplicate-deliveries',
    what: `${BATCHES} batches of the queue are handed to the batching function twice; no acknowledgement reaches the MQTT broker for ${UNHEARD_MS / 1_000} s, then none of its own comes, and each time the connections are reset and the rest is given again`,
    lastsMs: 0,
    costsMs: 15_000,
    degrades: [],
    holdsUp: ['mqtt → rocketmq', 'rocketmq → mqtt'],
    repeats: ['aws-iot → rocketmq', 'mqtt → rocketmq', 'rocketmq → mqtt'],
    async begin({ stage, pairs, miss }) {
      for (const side of ['clients', 'broker'] as const) await loseAcknowledgements(stage, side);
      for (const pair of pairs) {
        if (pair.path !== 'rule') continue;
        const batches = await handOverTwice(stage, pair);
        if (batches < BATCHES) miss(pair.name, `only ${batches} batches were handed over twice`);
      }
      return async () => undefined;
    },
  },
];

/** Of this side, for a while; then the connections are reset, and what was not acknowledged is given again. */
export async function loseAcknowledgements(
  { relays: { mqtt } }: FaultContext['stage'],
  side: 'clients' | 'broker',
): Promise<void> {
  mqtt.mute(side);
  await delay(UNHEARD_MS);
  mqtt.reset();
  mqtt.heal();
  // Both have to be at work again before the next thing is lost.
  await delay(UNHEARD_MS);
}

/** Invokes the function with what it is about to be given by its mapping as well; how many batches. */
export async function handOverTwice(
  { stack, tasks }: FaultStage,
  { taskId }: Pick<Pair, 'taskId'>,
): Promise<number> {
  const queue = (await tasks.get(taskId))?.resources.queue;
  if (queue === undefined) throw new Error('a task of the rule path has a queue');
  const sqs = new SQSClient({ ...DATA_PLANE_SQS_CLIENT, ...rootConfig(stack.aws) });
  const lambda = new LambdaClient(rootConfig(stack.aws));
  let batches = 0;
  try {
    for (let look = 1; look <= LOOKS && batches < BATCHES; look += 1) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queue.url,
          MaxNumberOfMessages: 10,
          VisibilityTimeout: HIDDEN_SECONDS,
          WaitTimeSeconds: WAIT_SECONDS,
          MessageSystemAttributeNames: ['All'],
        }),
      );
      if (Messages.length === 0) continue;
      const answer = await lambda.send(
        new InvokeCommand({ FunctionName: FUNCTIONS.rule, Payload: payloadOf(Messages, queue.arn) }),
      );
      expectAllTaken(answer);
      // Not deleted: for the queue they were never handed out.
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({
        Id: `${index}`,
        ReceiptHandle,
        VisibilityTimeout: 0,
      }));
      await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queue.url, Entries }));
      batches += 1;
    }
    return batches;
  } finally {
    sqs.destroy();
    lambda.destroy();
  }
}

function payloadOf(messages: readonly Message[], queueArn: string): Buffer {
  const event = sqsEvent(
    messages.map(({ MessageId = '', ReceiptHandle = '', Body = '', Attributes = {} }) => ({
      messageId: MessageId,
      receiptHandle: ReceiptHandle,
      body: Body,
      attributes: Attributes,
      eventSourceARN: queueArn,
    })),
  );
  return Buffer.from(JSON.stringify(event));
}

function expectAllTaken({ FunctionError, Payload }: InvokeCommandOutput): void {
  const text = Buffer.from(Payload ?? []).toString();
  const { batchItemFailures = [] } = JSON.parse(text) as { batchItemFailures?: unknown[] };
  if (FunctionError !== undefined || batchItemFailures.length > 0) {
    throw new Error(`the batching function did not take what it was given: ${text.slice(0, 500)}`);
  }
}
