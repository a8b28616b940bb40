import { describe, expect, it } from '@jest/globals';
import { checkAwsIotTopicName, checkTopicName } from '../../../../lib/domain/topics/topic-name.ts';

describe('checkTopicName', () => {
  it.each(['a', '/', ' ', 'stations/4711/status', '$SYS/x', '\u5145\u96fb', 'a'.repeat(65_535)])(
    'accepts a legal name',
    (topicName) => {
      expect(checkTopicName(topicName)).toBeUndefined();
    },
  );

  it.each([
    ['', 'MQTT-4.7.3-1'],
    ['a\u0000', 'MQTT-4.7.3-2'],
    ['a'.repeat(65_536), 'MQTT-4.7.3-3'],
    ['\udc00', 'MQTT-1.5.4-1'],
    ['a/+', 'MQTT-4.7.0-1'],
    ['a#', 'MQTT-4.7.0-1'],
  ])('refuses %j', (topicName, clause) => {
    expect(checkTopicName(topicName)).toEqual({
      code: 'TOPIC_NAME_INVALID',
      message: expect.stringContaining(clause),
    });
  });
});

describe('checkAwsIotTopicName', () => {
  it('accepts 256 bytes and 7 slashes', () => {
    expect(checkAwsIotTopicName('a'.repeat(256))).toBeUndefined();
    expect(checkAwsIotTopicName('1/2/3/4/5/6/7/8')).toBeUndefined();
  });

  it.each([
    ['a/+', 'TOPIC_NAME_INVALID'],
    ['a'.repeat(257), 'TOPIC_NAME_NOT_ON_AWS_IOT'],
    ['1/2/3/4/5/6/7/8/9', 'TOPIC_NAME_NOT_ON_AWS_IOT'],
  ])('refuses %j with %s', (topicName, code) => {
    expect(checkAwsIotTopicName(topicName)).toMatchObject({ code });
  });
});
