import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MqttMessage } from '../../../lib/domain/messages/message.ts';
import { PresenceOption } from '../../../lib/domain/tasks/presence-option.ts';
import { decodeEnvelope, messageOfEnvelope } from '../../../lib/mapping/envelope.ts';
import { createPresenceReader, offlineMessage } from '../../../lib/mapping/presence.ts';
import { failure } from './failure.ts';

const NOW_MS = Date.UTC(2026, 10, 23);
const EVENTS = '$aws/events/presence';
const FIXTURES = new URL('../../fixtures/envelopes/', import.meta.url);

const reader = (will?: object) =>
  createPresenceReader(PresenceOption.parse(will === undefined ? {} : { will }));
const message = (
  topicName: string,
  payload: string | Buffer,
  more: Partial<MqttMessage> = {},
): MqttMessage => ({
  topicName,
  payload: Buffer.from(payload),
  userProperties: [],
  ...more,
});
const event = (fields: object) => JSON.stringify({ clientId: 'c', timestamp: NOW_MS, ...fields });
function fixture(name: string): MqttMessage {
  const envelope = decodeEnvelope(readFileSync(new URL(name, FIXTURES), 'utf8'));
  return messageOfEnvelope(envelope, { recordId: 'r', receiptTimeMs: NOW_MS, sendTimeMs: NOW_MS }).message;
}

describe('createPresenceReader', () => {
  it('reads events as AWS IoT Core documents them', () => {
    expect(reader()(fixture('aws-presence-disconnected.json'), NOW_MS)).toEqual({
      clientId: 'charger-4711',
      signal: {
        event: {
          kind: 'disconnected',
          atMs: 1764000001100,
          version: 12,
          session: 'a4666d2a-7d84-4ae5-8393-1a1d9ce1a6b5',
          reason: 'MQTT_KEEP_ALIVE_TIMEOUT',
          isClean: false,
        },
      },
    });
    expect(reader()(fixture('aws-presence-connected.json'), NOW_MS)).toEqual({
      clientId: 'charger-4711',
      signal: {
        event: {
          kind: 'connected',
          atMs: 1764000009000,
          version: 13,
          session: '5f1c0a52-33f0-4d1e-9d0c-7b9d3f5f6a10',
        },
      },
    });
  });

  it('reads a goodbye, and an event that says little', () => {
    const said = reader()(
      message(`${EVENTS}/disconnected/a/b`, event({ clientInitiatedDisconnect: true })),
      1,
    );
    expect(said).toEqual({
      clientId: 'a/b',
      signal: { event: { kind: 'disconnected', atMs: NOW_MS, isClean: true } },
    });
  });

  it.each(['', 'x', '[]', '{}', '{"timestamp":"1"}', '{"timestamp":-1}', '{"timestamp":1.5}'])(
    'refuses the event %j',
    (payload) => {
      const error = failure(() => reader()(message(`${EVENTS}/connected/c`, payload), NOW_MS));
      expect(error).toMatchObject({ code: 'PRESENCE_EVENT_INVALID', reaction: 'dead-letter' });
    },
  );

  it('takes no message for a will unless it is told which', () => {
    expect(reader()(message('stations/7/status', 'offline'), NOW_MS)).toBeUndefined();
    const other = reader({ topicFilter: 'wills/+', clientId: '${topic[2]}' });
    expect(other(message('stations/7/status', 'offline'), NOW_MS)).toBeUndefined();
  });

  it('reads a will, byte for byte, and finds its device', () => {
    const read = reader({ topicFilter: 'stations/+/status', clientId: '${topic[2]}' });
    const payload = Buffer.from([0, 255, 254]);
    const userProperties = [['site', 'berlin']] as const;
    expect(read(message('stations/7/status', payload, { userProperties }), NOW_MS)).toEqual({
      clientId: '7',
      signal: {
        will: {
          atMs: NOW_MS,
          topicName: 'stations/7/status',
          payload: payload.toString('base64'),
          userProperties,
        },
      },
    });
    const byClient = reader({ topicFilter: 'stations/+/status' });
    expect(byClient(message('stations/7/status', '', { clientId: 'c-7' }), NOW_MS)).toMatchObject({
      clientId: 'c-7',
    });
    expect(failure(() => byClient(message('stations/7/status', ''), NOW_MS))).toMatchObject({
      code: 'TEMPLATE_VALUE_MISSING',
    });
  });

  it('tells wills from other messages of their topic', () => {
    const when = { value: '${payload.status}', equals: 'offline' };
    const read = reader({ topicFilter: 'stations/+/status', clientId: '${topic[2]}', when });
    expect(read(message('stations/7/status', '{"status":"offline"}'), NOW_MS)).toBeDefined();
    for (const payload of ['{"status":"charging"}', '{}', 'offline']) {
      expect(read(message('stations/7/status', payload), NOW_MS)).toBeUndefined();
    }
  });

  it.each(['', 'x'.repeat(257)])('refuses a client identifier like %j', (clientId) => {
    const read = reader({ topicFilter: 'stations/#', clientId: '${prop.device}' });
    const will = message('stations/7', '', { userProperties: [['device', clientId]] });
    expect(failure(() => read(will, NOW_MS))).toMatchObject({ code: 'PRESENCE_CLIENT_INVALID' });
  });

  it('never fails but by what makes a dead letter', () => {
    const read = reader({ topicFilter: 'stations/#' });
    fc.assert(
      fc.property(fc.constantFrom(`${EVENTS}/connected/c`, 'stations/7'), fc.json(), (topicName, payload) => {
        try {
          read(message(topicName, payload, { clientId: 'c' }), NOW_MS);
        } catch (error) {
          expect(error).toMatchObject({ reaction: 'dead-letter' });
        }
      }),
    );
  });
});

describe('offlineMessage', () => {
  const outage = {
    holder: 'r',
    dueAtMs: NOW_MS,
    sinceMs: NOW_MS,
    event: {
      kind: 'disconnected' as const,
      atMs: NOW_MS,
      version: 12,
      session: 's',
      reason: 'CONNECTION_LOST',
      isClean: false,
    },
  };
  const will = (payload: string | Buffer) => ({
    atMs: NOW_MS,
    topicName: 'stations/7/status',
    payload: Buffer.from(payload).toString('base64'),
    userProperties: [['site', 'berlin'] as [string, string]],
  });
  const bodyOf = ({ payload }: MqttMessage) => JSON.parse(payload.toString());

  it('says which device, since when and why', () => {
    const offline = offlineMessage('c-7', { outage });
    expect(offline).toMatchObject({
      topicName: '$aws/events/presence/disconnected/c-7',
      clientId: 'c-7',
      contentType: 'application/json',
      userProperties: [],
    });
    expect(bodyOf(offline)).toEqual({
      event: 'offline',
      clientId: 'c-7',
      reason: 'CONNECTION_LOST',
      clientInitiated: false,
      offlineSince: '2026-11-23T00:00:00.000Z',
      sessionIdentifier: 's',
      versionNumber: 12,
    });
  });

  it('brings the will, as bytes and as what they say', () => {
    const offline = offlineMessage('c-7', { outage, will: will('{"error":"E12"}') });
    expect(offline.userProperties).toEqual([['site', 'berlin']]);
    expect(bodyOf(offline).will).toEqual({
      topic: 'stations/7/status',
      at: '2026-11-23T00:00:00.000Z',
      payload: { error: 'E12' },
      payloadBase64: 'eyJlcnJvciI6IkUxMiJ9',
    });
    const binary = offlineMessage('c-7', { outage, will: will(Buffer.from([0, 255])) });
    expect(bodyOf(binary).will).toEqual(expect.not.objectContaining({ payload: expect.anything() }));
    expect(bodyOf(binary).will.payloadBase64).toBe('AP8=');
  });

  it('says so where only a will has told, and where the device is back since', () => {
    const { event: _, ...bare } = outage;
    const body = bodyOf(offlineMessage('c-7', { outage: { ...bare, backAtMs: NOW_MS + 1_000 } }));
    expect(body).toEqual({
      event: 'offline',
      clientId: 'c-7',
      reason: 'WILL',
      clientInitiated: false,
      offlineSince: '2026-11-23T00:00:00.000Z',
      backOnlineAt: '2026-11-23T00:00:01.000Z',
    });
  });
});
