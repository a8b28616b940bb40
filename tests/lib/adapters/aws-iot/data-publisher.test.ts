import { IoTDataPlaneClient, PublishCommand, ThrottlingException } from '@aws-sdk/client-iot-data-plane';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createDataPublishers } from '../../../../lib/adapters/aws-iot/data-publisher.ts';
import { systemClock } from '../../../../lib/adapters/system/clock.ts';
import { BrokerHoldError } from '../../../../lib/domain/errors/errors.ts';
import { errorOf, sampleMessage } from '../../../contract/mqtt-publisher.ts';

const deadline = () => ({ deadlineMs: Date.now() + 10_000 });
const named = (name: string, more: object = {}) => Object.assign(new Error('said'), { name, ...more });

describe('createDataPublishers', () => {
  const aws = mockClient(IoTDataPlaneClient);

  beforeEach(() => {
    aws.reset();
  });
  afterAll(() => aws.restore());

  function open(hostOf: (region: string) => Promise<string> = async (region) => `${region}.example`) {
    const endpoints: string[] = [];
    const publishers = createDataPublishers({
      endpoints: { hostOf },
      clock: systemClock,
      clientOf(region, endpoint) {
        endpoints.push(endpoint);
        return new IoTDataPlaneClient({ region, endpoint });
      },
    });
    return { endpoints, publishers, publisher: publishers.inRegion('eu-west-1') };
  }

  it('says everything of the message, user properties in order, QoS 2 as 1', async () => {
    aws.on(PublishCommand).resolves({});
    const { publisher } = open();
    const message = sampleMessage('stations/4711/commands', {
      qos: 2,
      retain: true,
      userProperties: [
        ['b', '1'],
        ['__proto__', '2'],
        ['b', '3'],
      ],
      contentType: 'text/plain',
      responseTopic: 'answers',
      correlationData: Buffer.from([0, 255]),
      payloadFormat: 1,
      expirySeconds: 60,
    });
    expect(await publisher.publish(message, deadline())).toEqual({ status: 'accepted' });
    expect(aws.commandCalls(PublishCommand)[0]?.args[0].input).toEqual({
      topic: message.topicName,
      payload: message.payload,
      qos: 1,
      retain: true,
      userProperties: '[{"b":"1"},{"__proto__":"2"},{"b":"3"}]',
      contentType: 'text/plain',
      responseTopic: 'answers',
      correlationData: 'AP8=',
      payloadFormatIndicator: 'UTF8_DATA',
      messageExpiry: 60,
    });
  });

  it('makes one client for all publishers of a region, at the endpoint of the account', async () => {
    aws.on(PublishCommand).resolves({});
    const { endpoints, publishers, publisher } = open();
    await publisher.publish(sampleMessage('a'), deadline());
    await publishers.inRegion('eu-west-1').publish(sampleMessage('a'), deadline());
    await publishers.inRegion('us-east-1').publish(sampleMessage('a'), deadline());
    expect(endpoints).toEqual(['https://eu-west-1.example', 'https://us-east-1.example']);
  });

  it('fails with why there is no endpoint, and asks again the next time', async () => {
    aws.on(PublishCommand).resolves({});
    const answers = [Promise.reject(new BrokerHoldError('no', { code: 'ACCESS_DENIED', scope: 'cluster' }))];
    const { publisher } = open(() => answers.shift() ?? Promise.resolve('host'));
    expect(errorOf(await publisher.publish(sampleMessage('a'), deadline())).scope).toBe('cluster');
    expect(await publisher.publish(sampleMessage('a'), deadline())).toEqual({ status: 'accepted' });
  });

  it.each([
    ['too deep', 'a/b/c/d/e/f/g/h/i'],
    ['too long', 'a'.repeat(257)],
  ])('refuses a topic that is %s for AWS IoT', async (_, topicName) => {
    const { publisher } = open();
    expect(errorOf(await publisher.publish(sampleMessage(topicName), deadline()))).toMatchObject({
      code: 'TOPIC_INVALID',
      reaction: 'dead-letter',
    });
    expect(aws.commandCalls(PublishCommand)).toEqual([]);
  });

  it('takes 128 KB and not a byte more', async () => {
    aws.on(PublishCommand).resolves({});
    const { publisher } = open();
    const publish = (bytes: number) =>
      publisher.publish(sampleMessage('a', { payload: Buffer.alloc(bytes) }), deadline());
    expect(await publish(131_072)).toEqual({ status: 'accepted' });
    expect(errorOf(await publish(131_073)).code).toBe('PAYLOAD_TOO_LARGE');
  });

  it.each([
    [
      'an error of AWS',
      new ThrottlingException({ $metadata: {}, message: 'slow' }),
      'throttle',
      'TARGET_THROTTLED',
      false,
    ],
    ['a network error', named('Error', { code: 'ECONNREFUSED' }), 'retry', 'TARGET_UNREACHABLE', false],
    ['a lost connection', named('Error', { code: 'ECONNRESET' }), 'retry', 'TARGET_UNAVAILABLE', true],
    [
      'an answer without a name',
      named('Error', { $metadata: { httpStatusCode: 403 } }),
      'hold',
      'ACCESS_DENIED',
      false,
    ],
    ['an error of another time', named('NewException'), 'retry', 'TARGET_ERROR', true],
    [
      'a refusal of another time',
      named('NewException', { $metadata: { httpStatusCode: 400 } }),
      'retry',
      'TARGET_ERROR',
      true,
    ],
    [
      'a status without a name',
      named('429', { $metadata: { httpStatusCode: 429 } }),
      'throttle',
      'TARGET_THROTTLED',
      false,
    ],
    ['no answer', named('TimeoutError'), 'retry', 'TARGET_TIMEOUT', true],
  ])('reads %s', async (_, error, reaction, code, maybeStored) => {
    aws.on(PublishCommand).rejects(error);
    const { publisher } = open();
    expect(errorOf(await publisher.publish(sampleMessage('a'), deadline()))).toMatchObject({
      reaction,
      code,
      maybeStored,
    });
  });
});
