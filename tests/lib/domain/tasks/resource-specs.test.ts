import { describe, expect, it } from '@jest/globals';
import { renderResourceSpecs, specHash } from '../../../../lib/domain/tasks/resource-specs.ts';
import type { Task } from '../../../../lib/domain/tasks/task.ts';
import {
  DEAD_LETTER_ARN,
  DEAD_LETTER_FIFO_ARN,
  DEAD_LETTER_URL,
  definition,
  pullDefinition,
  specSettings,
} from '../../../helpers/converge-world.ts';

const TASK = '01J9ZQ4Y8R7K2M5N6P0S1T3V4W';
function taskWith(topicFilters: string[], options: Parameters<typeof definition>[1] = {}, version = 1): Task {
  return {
    taskId: TASK,
    definition: definition(topicFilters, options),
    direction: 'mqtt-to-rocketmq',
    sourceRegion: 'us-east-1',
    desired: 'running',
    status: 'creating',
    version,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    resources: { rules: {} },
  };
}
function render(task: Task) {
  const specs = renderResourceSpecs(task, specSettings());
  if (specs.path !== 'rule') throw new Error(`a task of the ${specs.path} path`);
  return specs;
}

describe('renderResourceSpecs', () => {
  it('renders the queue: hidden long enough, kept as long as SQS keeps, never deciding dead letters', () => {
    expect(render(taskWith(['a'])).queue).toMatchObject({
      name: `mqferry-dev-0a1b2c3d-${TASK}`,
      visibilityTimeoutSeconds: 180,
      retentionSeconds: 1_209_600,
      deadLetterQueueArn: DEAD_LETTER_ARN,
      maxReceiveCount: 1_000,
    });
  });

  it('hides records longer where a batch is gathered over a window', () => {
    const { queue } = render(taskWith(['a'], { batch: { maxMessages: 500, maxWaitSeconds: 300 } }));
    expect(queue.visibilityTimeoutSeconds).toBe(480);
  });

  it('renders the mapping from the options', () => {
    const { mapping } = render(
      taskWith(['a'], { batch: { maxMessages: 500, maxWaitSeconds: 2 }, concurrency: 8 }),
    );
    expect(mapping).toMatchObject({ batchSize: 500, maximumBatchingWindowSeconds: 2, maximumConcurrency: 8 });
  });

  it('renders a rule for each filter that no other covers, in the region of the source', () => {
    const { rules } = render(taskWith(['a/b', 'a/+', 'c/#', 'c/d']));
    expect(rules.map(({ ruleNumber, topicFilter, region }) => [ruleNumber, topicFilter, region])).toEqual([
      [1, 'a/+', 'us-east-1'],
      [2, 'c/#', 'us-east-1'],
    ]);
    expect(rules[0]?.render({ name: 'n', queueUrl: 'q', enabled: false })).toEqual({
      name: 'n',
      sql: expect.stringMatching(new RegExp(`'${TASK}' AS task, 1 AS r, 1 AS f, .* FROM 'a/\\+'$`)),
      description: `mqferry task ${TASK}`,
      enabled: false,
      queueUrl: 'q',
      errorQueueUrl: DEAD_LETTER_URL,
      roleArn: specSettings().ruleRoleArn,
      tags: specSettings().names.tags(TASK),
    });
  });

  it('gives another hash for another form, and the same for the same', () => {
    const first = render(taskWith(['a', 'b']));
    const again = render(taskWith(['a', 'b']));
    const edited = render(taskWith(['a', 'b'], { concurrency: 9 }, 2));
    expect(again.rules.map((rule) => rule.specHash)).toEqual(first.rules.map((rule) => rule.specHash));
    expect(new Set(first.rules.map((rule) => rule.specHash)).size).toBe(2);
    expect(edited.mapping.specHash).not.toBe(first.mapping.specHash);
    expect(edited.queue.specHash).toBe(first.queue.specHash);
    // The envelope carries the revision.
    expect(edited.rules[0]?.specHash).not.toBe(first.rules[0]?.specHash);
  });

  it('renders queue and mapping of a session for its overflow, without rules', () => {
    const specs = renderResourceSpecs(
      taskWith(['a/b', 'a/+'], {
        via: 'session',
        batch: { maxMessages: 50, maxWaitSeconds: 0 },
        concurrency: 9,
      }),
      specSettings(),
    );
    expect(specs).toMatchObject({
      path: 'session',
      queue: {
        name: `mqferry-dev-0a1b2c3d-${TASK}`,
        visibilityTimeoutSeconds: 180,
        deadLetterQueueArn: DEAD_LETTER_ARN,
      },
      mapping: { batchSize: 10, maximumBatchingWindowSeconds: 0, maximumConcurrency: 2 },
    });
    expect(specs).not.toHaveProperty('rules');
    expect(specs).not.toHaveProperty('queue.isFifo');
  });

  it.each(['topic', 'key', 'client'] as const)(
    'renders a FIFO queue where the order of a %s is kept',
    (ordering) => {
      const specs = renderResourceSpecs(taskWith(['a'], { via: 'session', ordering }), specSettings());
      expect(specs).toMatchObject({
        queue: {
          name: `mqferry-dev-0a1b2c3d-${TASK}.fifo`,
          isFifo: true,
          deadLetterQueueArn: DEAD_LETTER_FIFO_ARN,
        },
        mapping: { batchSize: 10, maximumConcurrency: 2 },
      });
      // Lambda knows no window for FIFO queues.
      expect(specs).not.toHaveProperty('mapping.maximumBatchingWindowSeconds');
    },
  );

  it('makes nothing for a task that is pulled', () => {
    expect(renderResourceSpecs({ ...taskWith(['a']), definition: pullDefinition() }, specSettings())).toEqual(
      {
        path: 'pull',
      },
    );
  });
});

describe('specHash', () => {
  it('does not depend on the order of members', () => {
    expect(specHash({ a: 1, b: 'x' })).toBe(specHash({ b: 'x', a: 1 }));
    expect(specHash({ a: 1, b: 'x' })).not.toBe(specHash({ a: 'x', b: 1 }));
    expect(specHash({})).toMatch(/^[0-9a-f]{16}$/);
  });
});
