import { beforeEach, describe, expect, it } from '@jest/globals';
import { type ControlWorld, createControlWorld } from '../../helpers/control-world.ts';
import { definitionWith } from '../../helpers/tasks.ts';

describe('createCheckTask', () => {
  let world: ControlWorld;
  beforeEach(async () => {
    world = await createControlWorld();
  });

  it('tells direction, region and the topic that is used', async () => {
    const definition = definitionWith();
    expect(await world.checkTask(definition)).toEqual({
      definition: { ...definition, options: { ...definition.options, via: 'rule' } },
      direction: 'mqtt-to-rocketmq',
      sourceRegion: 'eu-west-1',
      targetTopic: 'charger_status',
      warnings: [expect.objectContaining({ code: 'NOT_SEEN_ON_THIS_PATH' })],
    });
  });

  it('uses no registered topic where the topic is rendered', async () => {
    const target = { clusterId: 'business', topic: 'status_${topic[2]}' };
    expect(await world.checkTask(definitionWith({ target }))).not.toHaveProperty('targetTopic');
  });

  it('names both clusters that are not registered', async () => {
    const definition = definitionWith({
      source: { clusterId: 'nobody', topicFilters: ['a'] },
      target: { clusterId: 'nowhere', topic: 'b' },
    });
    await expect(world.checkTask(definition)).rejects.toMatchObject({
      status: 404,
      code: 'CLUSTER_NOT_FOUND',
      errors: [
        { field: 'source.clusterId', code: 'CLUSTER_NOT_FOUND' },
        { field: 'target.clusterId', code: 'CLUSTER_NOT_FOUND' },
      ],
    });
  });

  it('answers 404 for a topic that is not registered', async () => {
    const definition = definitionWith({ target: { clusterId: 'business', topic: 'unknown' } });
    await expect(world.checkTask(definition)).rejects.toMatchObject({
      status: 404,
      code: 'TOPIC_NOT_REGISTERED',
      errors: [{ field: 'target.topic', code: 'TOPIC_NOT_REGISTERED' }],
    });
  });

  it('answers 400 with the code of the one broken rule', async () => {
    const definition = definitionWith({ options: { ordering: 'topic' } });
    await expect(world.checkTask(definition)).rejects.toMatchObject({
      status: 400,
      code: 'ORDER_NOT_ON_THIS_PATH',
    });
  });

  it('answers 400 DEFINITION_INVALID where several rules are broken', async () => {
    const definition = definitionWith({
      target: { clusterId: 'business', topic: 'unknown' },
      options: { ordering: 'topic' },
    });
    await expect(world.checkTask(definition)).rejects.toMatchObject({
      status: 400,
      code: 'DEFINITION_INVALID',
      message: expect.stringMatching(/^target\.topic: .* \(and 1 more\)$/),
      errors: [{ code: 'TOPIC_NOT_REGISTERED' }, { code: 'ORDER_NOT_ON_THIS_PATH' }],
    });
  });
});
