import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { z } from 'zod';
import { fieldErrors, fieldPath } from '../../../lib/api/field-errors.ts';
import { PageQuery } from '../../../lib/api/schemas.ts';
import { CreateTask } from '../../../lib/api/task-schemas.ts';
import { ClusterInput } from '../../../lib/domain/clusters/cluster.ts';

const task = {
  taskName: 'charger-wills',
  source: { clusterId: 'devices', topicFilters: ['stations/+/status'] },
  target: { clusterId: 'business', topic: 'charger_status' },
};

function errorsOf(schema: z.ZodType, input: unknown) {
  const parsed = schema.safeParse(input);
  return parsed.success ? [] : fieldErrors(parsed.error, input);
}

describe('fieldErrors', () => {
  it('finds nothing wrong with a good value', () => {
    expect(errorsOf(CreateTask, task)).toEqual([]);
  });

  it.each([
    ['taskName', { ...task, taskName: 'a b' }, 'FORMAT_WRONG'],
    ['taskName', { source: task.source, target: task.target }, 'FIELD_MISSING'],
    ['source', { taskName: 'a', target: task.target }, 'FIELD_MISSING'],
    ['source.topicFilters', { ...task, source: { clusterId: 'devices', topicFilters: [] } }, 'TOO_SMALL'],
    ['source.topicFilters[1]', { ...task, source: { clusterId: 'd', topicFilters: ['a', 5] } }, 'TYPE_WRONG'],
    ['target.tagg', { ...task, target: { ...task.target, tagg: 'x' } }, 'UNKNOWN_FIELD'],
    ['options.concurrency', { ...task, options: { concurrency: 1 } }, 'TOO_SMALL'],
    ['options.via', { ...task, options: { via: 'bus' } }, 'VALUE_NOT_ALLOWED'],
    ['options.batch.maxMessages', { ...task, options: { batch: { maxMessages: 2001 } } }, 'TOO_BIG'],
    ['["a b"]', { ...task, 'a b': 1 }, 'UNKNOWN_FIELD'],
    ['', [], 'TYPE_WRONG'],
    ['', undefined, 'FIELD_MISSING'],
  ])('names the field %j', (field, input, code) => {
    expect(errorsOf(CreateTask, input)).toEqual([{ field, code, message: expect.any(String) }]);
  });

  it('names every broken field at once, in the order of the schema', () => {
    const errors = errorsOf(CreateTask, {
      source: task.source,
      target: task.target,
      options: { via: 1, maxHops: 0 },
    });
    expect(errors.map(({ field }) => field)).toEqual(['taskName', 'options.via', 'options.maxHops']);
  });

  it('takes the shape the caller meant where a field has several', () => {
    const errors = errorsOf(CreateTask, {
      ...task,
      target: { clusterId: 'd', topic: 't', qos: 1, retain: 'a', x: 1 },
    });
    expect(errors).toEqual([{ field: 'target.x', code: 'UNKNOWN_FIELD', message: expect.any(String) }]);
  });

  it('says which kinds there are', () => {
    expect(errorsOf(ClusterInput, { kind: 'kafka' })).toEqual([
      { field: 'kind', code: 'VALUE_NOT_ALLOWED', message: 'must be "aws-iot", "mqtt" or "rocketmq"' },
    ]);
    expect(errorsOf(ClusterInput, {})).toEqual([
      { field: 'kind', code: 'FIELD_MISSING', message: 'is required: add it' },
    ]);
  });

  it('joins the rules of a field that may be of several plain types', () => {
    const source = { clusterId: 'business', topic: 't', startFrom: 5 };
    expect(errorsOf(CreateTask, { ...task, source })).toEqual([
      {
        field: 'source.startFrom',
        code: 'VALUE_NOT_ALLOWED',
        message: 'must be "latest" or "earliest", or a text',
      },
    ]);
  });

  it('answers a bounded number of errors', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x${index}`, 1]));
    expect(errorsOf(PageQuery, many)).toHaveLength(50);
  });

  it('never quotes a value', () => {
    const secret = 'hunter2-hunter2';
    const bodies = fc.dictionary(
      fc.constantFrom('kind', 'name', 'region', 'url', 'endpoint', 'tls', 'secretRef', 'multiMessage'),
      fc.oneof(
        fc.constant(secret),
        fc.constant([secret]),
        fc.constant({ secret }),
        fc.constantFrom('mqtt', 'rocketmq'),
      ),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        expect(JSON.stringify(errorsOf(ClusterInput, body))).not.toContain(secret);
      }),
    );
  });
});

describe('fieldPath', () => {
  it.each([
    [[], ''],
    [['a'], 'a'],
    [['a', 'b', 0, 'c'], 'a.b[0].c'],
    [[0], '[0]'],
    [['a', 'b c'], 'a["b c"]'],
  ])('writes %j as %j', (path, text) => {
    expect(fieldPath(path)).toBe(text);
  });
});
