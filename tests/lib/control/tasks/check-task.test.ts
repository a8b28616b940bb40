import { beforeEach, describe, expect, it } from '@jest/globals';
import { type ControlWorld, createControlWorld } from '../../../helpers/control-world.ts';
import { definitionWith } from '../../../helpers/tasks.ts';

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
      rocketmqTopic: 'charger_status',
      warnings: [expect.objectContaining({ code: 'NOT_SEEN_ON_THIS_PATH' })],
    });
  });

  it('uses no registered topic where the topic is rendered', async () => {
    const target = { clusterId: 'business', topic: 'status_${topic[2]}' };
    expect(await world.checkTask(definitionWith({ target }))).not.toHaveProperty('rocketmqTopic');
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

  describe('beside other tasks', () => {
    const commands = (changes: object = {}) =>
      definitionWith({
        source: { clusterId: 'business', topic: 'charger_commands', consumerGroup: 'ours' },
        target: { clusterId: 'devices', topic: 'stations/${key}/commands' },
        ...changes,
      });
    const echo = () =>
      definitionWith({
        ...commands(),
        source: commands().source,
        target: { clusterId: 'devices', topic: 'stations/${key}/status' },
      });

    beforeEach(async () => {
      await world.clusters.putTopic('business', 'charger_commands', 'NORMAL', {
        at: new Date().toISOString(),
      });
      await world.createTask({ body: commands(), startNow: false });
    });

    it('refuses a loop, and names the other task', async () => {
      const { task } = await world.createTask({
        body: definitionWith({
          source: { clusterId: 'devices', topicFilters: ['stations/+/status'] },
          target: { clusterId: 'business', topic: 'charger_commands' },
        }),
        startNow: false,
      });
      const definition = { ...echo(), source: { ...echo().source, consumerGroup: 'other' } };
      await expect(world.checkTask(definition)).rejects.toMatchObject({
        status: 409,
        code: 'LOOP',
        errors: [{ field: 'target.topic', message: expect.stringContaining(task.definition.taskName) }],
      });
    });

    it('refuses the consumer group of another task, not its own', async () => {
      const taken = { status: 409, code: 'CONSUMER_GROUP_TAKEN' };
      await expect(world.checkTask(commands())).rejects.toMatchObject(taken);
      const [other] = (await world.tasks.list({}, { limit: 1 })).items;
      await expect(world.checkTask(commands(), { taskId: other?.taskId ?? '' })).resolves.toMatchObject({
        direction: 'rocketmq-to-mqtt',
        rocketmqTopic: 'charger_commands',
      });
    });

    it('lets a task that is being deleted carry nothing back', async () => {
      const loop = definitionWith({
        source: { clusterId: 'devices', topicFilters: ['stations/+/commands'] },
        target: { clusterId: 'business', topic: 'charger_commands' },
      });
      await expect(world.checkTask(loop)).rejects.toMatchObject({ code: 'LOOP' });
      const [other] = (await world.tasks.list({}, { limit: 1 })).items;
      const taskId = other?.taskId ?? '';
      await world.settle(taskId, 'paused');
      await world.deleteTask({ taskId, discardBacklog: true });
      await expect(world.checkTask(loop)).resolves.toMatchObject({ direction: 'mqtt-to-rocketmq' });
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
