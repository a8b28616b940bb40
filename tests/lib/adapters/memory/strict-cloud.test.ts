import { describe, expect, it } from '@jest/globals';
import type { CallKind } from '../../../../lib/adapters/aws/control-plane-call.ts';
import { createIotTopicRules } from '../../../../lib/adapters/aws-iot/topic-rules.ts';
import { createLambdaEventSourceMappings } from '../../../../lib/adapters/lambda/event-source-mappings.ts';
import { createStrictCloud } from '../../../../lib/adapters/memory/strict-cloud.ts';
import { createSqsTaskQueues } from '../../../../lib/adapters/sqs/task-queues.ts';
import type { MappingSpec } from '../../../../lib/ports/event-source-mappings.ts';
import type { TaskQueueSpec } from '../../../../lib/ports/task-queues.ts';
import type { TopicRuleSpec } from '../../../../lib/ports/topic-rules.ts';
import { describeEventSourceMappings } from '../../../contract/event-source-mappings.ts';
import { describeTaskQueues } from '../../../contract/task-queues.ts';
import { describeTopicRules } from '../../../contract/topic-rules.ts';
import {
  createJumpingClock,
  DEAD_LETTER_ARN,
  DEAD_LETTER_FIFO_ARN,
  DEAD_LETTER_URL,
} from '../../../helpers/converge-world.ts';

const tags = { 'mqferry:stack': 'arn:aws:cloudformation:eu-west-1:1:stack/s/u', 'mqferry:task': 't' };
let names = 0;

function build(options: { roleReadyInMs?: number } = {}) {
  const clock = createJumpingClock();
  const cloud = createStrictCloud({
    clock,
    functionName: 'batching',
    roleReadyAtMs: clock.now() + (options.roleReadyInMs ?? 0),
    // A request takes time; so many contract steps stay below the throttles.
    hook: (when) => {
      if (when === 'before') clock.advance(150);
    },
  });
  const pace = async () => undefined;
  const queues = createSqsTaskQueues({ sqs: cloud.sqs });
  const mappings = createLambdaEventSourceMappings({ lambda: cloud.lambda, pace });
  // AWS IoT answers two lists a second.
  const listsPaced = async (kind: CallKind) => clock.advance(kind === 'list' ? 500 : 0);
  const rules = createIotTopicRules({ iot: cloud.iot('eu-west-1'), pace: listsPaced });
  const catchUp = async () => clock.advance(11_000);
  return { clock, cloud, queues, mappings, rules, catchUp };
}

function newQueueSpec(): TaskQueueSpec {
  names += 1;
  return {
    name: `queue-${names}`,
    visibilityTimeoutSeconds: 180,
    retentionSeconds: 1_209_600,
    deadLetterQueueArn: DEAD_LETTER_ARN,
    maxReceiveCount: 1_000,
    tags,
  };
}

function newFifoSpec(): TaskQueueSpec {
  const spec = newQueueSpec();
  return { ...spec, name: `${spec.name}.fifo`, isFifo: true, deadLetterQueueArn: DEAD_LETTER_FIFO_ARN };
}

function mappingSpec(queueArn: string): MappingSpec {
  return {
    queueArn,
    functionName: 'batching',
    enabled: false,
    batchSize: 10,
    maximumBatchingWindowSeconds: 0,
    maximumConcurrency: 5,
    tags,
  };
}

function newRuleSpec(): TopicRuleSpec {
  names += 1;
  return {
    name: `rule_${names}_`,
    sql: "SELECT 1 AS v FROM 'a/+'",
    description: 'a rule',
    enabled: true,
    queueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/q',
    errorQueueUrl: DEAD_LETTER_URL,
    roleArn: 'arn:aws:iam::123456789012:role/rules',
    tags,
  };
}

describeTaskQueues('strict fake', async () => {
  const { queues, cloud, clock, catchUp } = build();
  return {
    queues,
    newSpec: newQueueSpec,
    newFifoSpec,
    send: async (url, waiting) => cloud.change(url.split('/').at(-1) ?? '', { waiting }),
    catchUp,
    unblockNames: async () => clock.advance(60_000),
  };
});

describeEventSourceMappings('strict fake', async () => {
  const { queues, mappings, clock, catchUp } = build();
  const newSpec = async (visibilityTimeoutSeconds = 180) =>
    mappingSpec((await queues.ensure({ ...newQueueSpec(), visibilityTimeoutSeconds })).arn);
  return {
    mappings,
    newSpec: () => newSpec(),
    async newFifoSpec() {
      const { maximumBatchingWindowSeconds: _, ...spec } = mappingSpec(
        (await queues.ensure(newFifoSpec())).arn,
      );
      return spec;
    },
    catchUp,
    settle: async () => clock.advance(61_000),
    hasTransientStates: true,
    checksVisibility: { shortSpec: () => newSpec(20) },
  };
});

describeTopicRules('strict fake', async () => {
  const { rules, catchUp } = build();
  return { rules, newSpec: newRuleSpec, catchUp };
});

describe('createStrictCloud', () => {
  it('throttles Lambda beyond 15 calls a second and AWS IoT beyond 5 of a kind', async () => {
    const clock = createJumpingClock();
    const cloud = createStrictCloud({ clock, functionName: 'batching' });
    const pace = async () => undefined;
    const mappings = createLambdaEventSourceMappings({ lambda: cloud.lambda, pace });
    const rules = createIotTopicRules({ iot: cloud.iot('eu-west-1'), pace });
    for (let call = 0; call < 15; call += 1) await mappings.get('none');
    const throttled = { code: 'CLOUD_THROTTLED', reaction: 'not-yet' };
    await expect(mappings.get('none')).rejects.toMatchObject(throttled);
    for (let call = 0; call < 5; call += 1) await rules.create(newRuleSpec());
    await expect(rules.create(newRuleSpec())).rejects.toMatchObject(throttled);
    clock.advance(1_001);
    await rules.create(newRuleSpec());
    expect(await mappings.get('none')).toBeUndefined();
  });

  it('shows what is made or deleted in its lists only later', async () => {
    const { queues, clock } = build();
    const spec = newQueueSpec();
    const { url } = await queues.ensure(spec);
    expect(await queues.list(spec.name)).toEqual([]);
    clock.advance(10_000);
    expect(await queues.list(spec.name)).toEqual([spec.name]);
    await queues.delete(url);
    expect(await queues.list(spec.name)).toEqual([spec.name]);
    clock.advance(10_000);
    expect(await queues.list(spec.name)).toEqual([]);
  });

  it('does not know a new role for a while', async () => {
    const { rules, clock } = build({ roleReadyInMs: 5_000 });
    const spec = newRuleSpec();
    await expect(rules.create(spec)).rejects.toMatchObject({
      code: 'RULE_ROLE_NOT_READY',
      reaction: 'not-yet',
    });
    clock.advance(5_000);
    await rules.create(spec);
  });

  it('meets a second change of the same rule with a conflict', async () => {
    const clock = createJumpingClock();
    const cloud = createStrictCloud({ clock, functionName: 'batching' });
    const rules = createIotTopicRules({ iot: cloud.iot('eu-west-1'), pace: async () => undefined });
    const spec = newRuleSpec();
    await rules.create(spec);
    await expect(rules.setEnabled(spec.name, false)).rejects.toMatchObject({ code: 'RULE_CONFLICT' });
  });

  it('answers a mapping that exists only when its list shows it', async () => {
    const { queues, mappings, clock } = build();
    const spec = mappingSpec((await queues.ensure(newQueueSpec())).arn);
    const { uuid } = await mappings.create(spec);
    await expect(mappings.create(spec)).rejects.toMatchObject({
      code: 'MAPPING_CONFLICT',
      reaction: 'not-yet',
    });
    clock.advance(10_000);
    expect((await mappings.create(spec)).uuid).toBe(uuid);
  });

  it.each([
    ['a FIFO queue of another name', { ...newFifoSpec(), name: 'standard' }],
    ['a standard queue of such a name', { ...newQueueSpec(), name: 'odd.fifo' }],
    [
      'a FIFO queue with a standard dead-letter queue',
      { ...newFifoSpec(), deadLetterQueueArn: DEAD_LETTER_ARN },
    ],
    ['a standard queue with a FIFO one', { ...newQueueSpec(), deadLetterQueueArn: DEAD_LETTER_FIFO_ARN }],
  ])('refuses %s', async (_, spec) => {
    await expect(build().queues.ensure(spec)).rejects.toMatchObject({ reaction: 'failed' });
  });

  it('takes a FIFO queue neither with a window nor in batches above 10', async () => {
    const { queues, mappings } = build();
    const spec = mappingSpec((await queues.ensure(newFifoSpec())).arn);
    const { maximumBatchingWindowSeconds: window, ...plain } = spec;
    await expect(
      mappings.create({ ...spec, maximumBatchingWindowSeconds: window ?? 1 }),
    ).rejects.toMatchObject({
      reaction: 'failed',
    });
    await expect(mappings.create({ ...plain, batchSize: 11 })).rejects.toMatchObject({ reaction: 'failed' });
  });

  it('takes no command that it does not know', async () => {
    const { cloud } = build();
    await expect(cloud.sqs.send({} as never)).rejects.toThrow(TypeError);
    await expect(cloud.lambda.send({} as never)).rejects.toThrow(TypeError);
    await expect(cloud.iot('eu-west-1').send({} as never)).rejects.toThrow(TypeError);
  });
});
