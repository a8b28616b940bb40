import { describe, expect, it } from '@jest/globals';
import { packProperties, unpackProperties } from '../../../lib/mapping/property-envelope.ts';

const properties = new Map([
  ['mqferry_path', 'A'],
  ['mqtt_topic', 't\u5145'],
]);

describe('packProperties', () => {
  it('puts length, properties and payload into the body, and leaves our own marks outside', () => {
    const packed = packProperties(Buffer.of(1, 2), properties);
    const json = '[["mqtt_topic","t\u5145"]]';
    expect(packed.body).toEqual(
      Buffer.concat([Buffer.of(0, 0, 0, Buffer.byteLength(json)), Buffer.from(json), Buffer.of(1, 2)]),
    );
    expect(Object.fromEntries(packed.properties)).toEqual({ mqferry_path: 'A', mqtt_env: '1' });
  });
});

describe('unpackProperties', () => {
  it.each([Buffer.of(1, 2), Buffer.alloc(0)])('reads what packProperties wrote', (payload) => {
    const unpacked = unpackProperties(packProperties(payload, properties));
    expect(unpacked.body).toEqual(payload);
    expect(Object.fromEntries(unpacked.properties)).toEqual({
      ...Object.fromEntries(properties),
      mqtt_env: '1',
    });
  });

  it('leaves a message without envelope as it is', () => {
    const body = Buffer.of(1);
    expect(unpackProperties({ body, properties })).toEqual({ body, properties });
  });

  it.each<[what: string, version: string, body: Buffer]>([
    ['another version', '2', Buffer.from('\u0000\u0000\u0000\u0002[]')],
    ['a body that is too short for the length', '1', Buffer.of(0, 0)],
    ['a length beyond the body', '1', Buffer.from('\u0000\u0000\u0000\u0009[]')],
    ['no JSON', '1', Buffer.from('\u0000\u0000\u0000\u0002[{')],
    ['no pairs', '1', Buffer.from('\u0000\u0000\u0000\u0003[1]')],
    ['another document', '1', Buffer.from('\u0000\u0000\u0000\u0002{}')],
  ])('refuses %s', (_what, version, body) => {
    expect(() => unpackProperties({ body, properties: new Map([['mqtt_env', version]]) })).toThrow(
      'the property mqtt_env does not hold a version that fits the body',
    );
  });
});
