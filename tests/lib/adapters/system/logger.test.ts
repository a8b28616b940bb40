import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createLogger } from '../../../../lib/adapters/system/logger.ts';
import { emfDocument } from '../../../../lib/domain/figures/emf.ts';
import { emfFaults } from '../../../helpers/emf-schema.ts';

let lines: Record<string, unknown>[];
const keep = (line: unknown) => void lines.push(JSON.parse(String(line)));

beforeEach(() => {
  lines = [];
  // Powertools writes through a console of its own unless told that this is development.
  process.env.POWERTOOLS_DEV = 'true';
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    jest.spyOn(console, level).mockImplementation(keep);
  }
});
afterEach(() => {
  delete process.env.POWERTOOLS_DEV;
  jest.restoreAllMocks();
});

describe('createLogger', () => {
  it('writes a line of JSON with the service, the level and the fields', () => {
    const logger = createLogger({ serviceName: 'converge', logLevel: 'INFO' });
    logger.warn('not yet', { taskId: 'T', waitMs: 2_000 });
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'WARN',
        message: 'not yet',
        service: 'converge',
        taskId: 'T',
        waitMs: 2_000,
      }),
    ]);
  });

  it('says nothing below its level', () => {
    const logger = createLogger({ serviceName: 'converge', logLevel: 'WARN' });
    logger.debug('a');
    logger.info('b');
    logger.error('c');
    expect(lines.map(({ message }) => message)).toEqual(['c']);
  });

  it('forgets the ids of one invocation in the next', () => {
    const logger = createLogger({ serviceName: 'converge', logLevel: 'INFO' });
    logger.setContext({ requestId: '1', routeKey: 'GET /tasks' });
    logger.info('first');
    logger.setContext({ requestId: '2' });
    logger.info('second');
    expect(lines[0]).toMatchObject({ requestId: '1', routeKey: 'GET /tasks' });
    expect(lines[1]).toMatchObject({ requestId: '2' });
    expect(lines[1]).not.toHaveProperty('routeKey');
  });

  it('writes metrics as one line that has the dimensions for itself, at any level', () => {
    const written: string[] = [];
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    const logger = createLogger({ serviceName: 'converge', logLevel: 'ERROR' });
    logger.setContext({ requestId: '1' });
    const document = emfDocument({
      nowMs: 1_767_225_600_000,
      sets: ['service'],
      dimensions: { service: 'mqferry', stage: 'dev' },
      metrics: { tasksRunning: 3 },
    });
    logger.write('tick', document);
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^\{.*\}\n$/);
    const line = JSON.parse(written[0] ?? '');
    expect(emfFaults(line)).toEqual([]);
    expect(line).toMatchObject({
      level: 'INFO',
      message: 'tick',
      timestamp: '2026-01-01T00:00:00.000Z',
      function: 'converge',
      requestId: '1',
      service: 'mqferry',
      tasksRunning: 3,
    });
  });

  it('names an error with its cause', () => {
    const logger = createLogger({ serviceName: 'converge', logLevel: 'INFO' });
    logger.error('failed', { error: new Error('outer', { cause: new TypeError('inner') }) });
    expect(lines[0]).toMatchObject({
      error: { name: 'Error', message: 'outer', cause: { name: 'TypeError', message: 'inner' } },
    });
  });
});
