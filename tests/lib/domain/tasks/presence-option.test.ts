import { describe, expect, it } from '@jest/globals';
import { PresenceOption } from '../../../../lib/domain/tasks/presence-option.ts';
import { check, errorsOf, found, warningsOf } from '../../../helpers/definition-checks.ts';

const CONNECTED = '$aws/events/presence/connected/+';
const DISCONNECTED = '$aws/events/presence/disconnected/+';
const task = (
  presence: object,
  topicFilters = [CONNECTED, DISCONNECTED, 'stations/+/status'],
  options = {},
) => ({
  source: { clusterId: 'devices', topicFilters },
  options: { presence, ...options },
});

describe('PresenceOption', () => {
  it('waits 30 s, leaves clean disconnects out, and takes the publisher of a will for its device', () => {
    expect(PresenceOption.parse({ will: { topicFilter: 'a' } })).toEqual({
      debounceSeconds: 30,
      cleanDisconnect: 'ignore',
      will: { topicFilter: 'a', clientId: '${clientId}' },
    });
  });

  it.each([
    { debounceSeconds: 4 },
    { debounceSeconds: 901 },
    { debounceSeconds: 7.5 },
    { other: 1 },
    { will: {} },
  ])('refuses %j', (option) => {
    expect(PresenceOption.safeParse(option).success).toBe(false);
  });
});

describe('checkPresence', () => {
  it('accepts both kinds of events, with and without wills', () => {
    expect(errorsOf(task({}))).toEqual([]);
    const will = { topicFilter: 'stations/+/status', clientId: '${topic[2]}' };
    expect(errorsOf(task({ will }))).toEqual([]);
    expect(errorsOf(task({ will }, [CONNECTED, DISCONNECTED, 'stations/#']))).toEqual([]);
    const single = ['$aws/events/presence/connected/c-1', '$aws/events/presence/disconnected/c-1'];
    expect(errorsOf(task({}, single))).toEqual([]);
  });

  it.each([
    [['stations/+/status']],
    [[CONNECTED, 'stations/+/status']],
    [[DISCONNECTED]],
    [[CONNECTED, '$aws/events/presence/disconnected/c-1']],
  ])('refuses %j, which do not tell of both', (topicFilters) => {
    expect(errorsOf(task({}, topicFilters))).toEqual(['source.topicFilters: PRESENCE_NEEDS_EVENTS']);
  });

  it.each([
    ['stations/#', 'PRESENCE_WILL_NOT_READ'],
    ['wills/+', 'PRESENCE_WILL_NOT_READ'],
    [DISCONNECTED, 'PRESENCE_WILL_NOT_READ'],
    ['stations/#/status', 'TOPIC_FILTER_INVALID'],
    ['$aws/things/x', 'RESERVED_TOPIC'],
  ])('refuses wills on %s with %s', (topicFilter, code) => {
    expect(errorsOf(task({ will: { topicFilter } }))).toEqual([`options.presence.will.topicFilter: ${code}`]);
  });

  it('checks the templates of wills', () => {
    const will = {
      topicFilter: 'stations/+/status',
      clientId: '${nonsense}',
      when: { value: '${tag}', equals: 'x' },
    };
    expect(errorsOf(task({ will }))).toEqual([
      'options.presence.will.clientId: TEMPLATE_INVALID',
      'options.presence.will.when.value: NOT_ON_THIS_PATH',
    ]);
  });

  it('refuses an age that every message has reached when it would be sent', () => {
    const aged = (maxAgeSeconds: number) =>
      errorsOf(task({ debounceSeconds: 60 }, undefined, { maxAgeSeconds }));
    expect(aged(60)).toEqual(['options.maxAgeSeconds: PRESENCE_EXPIRES']);
    expect(aged(61)).toEqual([]);
  });

  it('warns where every message to a topic is taken for a will', () => {
    const will = { topicFilter: 'stations/+/status', clientId: '${topic[2]}' };
    const warning = 'options.presence.will.topicFilter: PRESENCE_ALL_ARE_WILLS';
    expect(warningsOf(task({ will }))).toContain(warning);
    const when = { value: '${payload.status:-}', equals: 'offline' };
    expect(warningsOf(task({ will: { ...will, when } }))).not.toContain(warning);
  });

  it('is for the rule path only', () => {
    const { errors } = check(task({}, ['stations/+/status'], { via: 'session' }));
    expect(found(errors)).toEqual(['options.presence: NOT_ON_THIS_PATH']);
  });
});
