import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  checkAwsIotTopicFilter,
  checkTopicFilter,
  withoutShare,
} from '../../../../lib/domain/topics/topic-filter-syntax.ts';

describe('checkTopicFilter', () => {
  it.each([
    '#',
    '+',
    '/',
    '+/+',
    '/+',
    'sport/tennis/#',
    '+/tennis/#',
    'sport/+/player1',
    'sport/tennis/player1/#',
    '$SYS/#',
    'Accounts payable',
    '$share/consumer1/sport/tennis/+',
    '$share/consumer1//finance',
    '$shared/a',
  ])('accepts %s', (filter) => {
    expect(checkTopicFilter(filter)).toBeUndefined();
  });

  it.each<[filter: string, clause: string]>([
    ['', 'MQTT-4.7.3-1'],
    ['a\u0000b', 'MQTT-4.7.3-2'],
    ['a'.repeat(65_536), 'MQTT-4.7.3-3'],
    ['\u00e4'.repeat(32_768), 'MQTT-4.7.3-3'],
    ['a/\ud800', 'MQTT-1.5.4-1'],
    ['sport/tennis#', 'MQTT-4.7.1-1'],
    ['sport/tennis/#/ranking', 'MQTT-4.7.1-1'],
    ['a/#/b', 'MQTT-4.7.1-1'],
    ['##', 'MQTT-4.7.1-1'],
    ['sport+', 'MQTT-4.7.1-2'],
    ['a/b+/c', 'MQTT-4.7.1-2'],
    ['++', 'MQTT-4.7.1-2'],
    ['$share', 'MQTT-4.8.2-1'],
    ['$share/', 'MQTT-4.8.2-1'],
    ['$share//a', 'MQTT-4.8.2-1'],
    ['$share/a+/b', 'MQTT-4.8.2-1'],
    ['$share/#/b', 'MQTT-4.8.2-1'],
    ['$share/g', 'MQTT-4.8.2-2'],
    ['$share/g/', 'MQTT-4.8.2-2'],
  ])('refuses %j by its clause', (filter, clause) => {
    expect(checkTopicFilter(filter)).toEqual({
      code: 'TOPIC_FILTER_INVALID',
      message: expect.stringContaining(`[${clause}]`),
    });
  });

  it('accepts 65,535 bytes', () => {
    expect(checkTopicFilter('a'.repeat(65_535))).toBeUndefined();
  });
});

describe('checkAwsIotTopicFilter', () => {
  it.each([
    'stations/+/status',
    '#',
    'a/b/c/d/e/f/g/h',
    'a'.repeat(256),
    'caf\u00e9/\u5145\u96fb/$meter/{x}',
    '$aws/events/presence/connected/+',
    '$aws/events/presence/disconnected/charger-7',
  ])('accepts %s', (filter) => {
    expect(checkAwsIotTopicFilter(filter)).toBeUndefined();
  });

  it.each<[filter: string, code: string]>([
    ['a/#/b', 'TOPIC_FILTER_INVALID'],
    ['a/b/c/d/e/f/g/h/i', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
    ['a'.repeat(257), 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
    ['\u00e9'.repeat(129), 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
    ["a' OR 'b", 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
    ['a"b', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
    ['a`b', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
    ['a\\b', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
    ['a\nb', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
    ['a\u007fb', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
    ['a\u0085b', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
    ['a\u2028b', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
    ['a\u2029b', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
    ['a/$' + '{topic()}', 'TOPIC_FILTER_NOT_ON_AWS_IOT'],
    ['$share/g/stations/#', 'SHARED_SUBSCRIPTION_NOT_ON_THIS_PATH'],
    ['$aws/things/x/shadow/update', 'RESERVED_TOPIC'],
    ['$aws/events/presence/connected/#', 'RESERVED_TOPIC'],
    ['$aws/events/presence/+/x', 'RESERVED_TOPIC'],
    ['$aws/events/presence/connected/a/b', 'RESERVED_TOPIC'],
    ['$aws/#', 'RESERVED_TOPIC'],
    ['$SYS/a', 'RESERVED_TOPIC'],
  ])('refuses %j with %s', (filter, code) => {
    expect(checkAwsIotTopicFilter(filter)).toMatchObject({ code });
  });

  it('lets nothing through that could end the literal it becomes', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '/', "'", '"', '\\', '`', '\n', '\u0085', '$', '{', '+'),
    });
    fc.assert(
      fc.property(text, (filter) => {
        fc.pre(checkAwsIotTopicFilter(filter) === undefined);
        expect(filter).toMatch(/^(?:[a/+{]|\$(?!\{))+$/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('withoutShare', () => {
  it('answers the filter within a shared subscription, and others as they are', () => {
    expect(withoutShare('$share/g/a/#')).toBe('a/#');
    expect(withoutShare('a/#')).toBe('a/#');
  });
});
