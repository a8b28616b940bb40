import { describe, expect, it } from '@jest/globals';
import { errorOfRow, errorRow } from '../../../../lib/domain/errors/error-table.ts';
import {
  MQTT_311_CONNACK_CODES,
  MQTT_CONNACK_CODES,
  MQTT_CONNECTION_ERRORS,
  MQTT_DISCONNECT_CODES,
  MQTT_PUBLISH_CODES,
  MQTT_SUBSCRIBE_CODES,
} from '../../../../lib/domain/errors/mqtt-error-table.ts';

/** statuses, reaction, scope, code */
type Expectation = [readonly number[], string, string, string];

const CONNACK: Expectation[] = [
  [[0x80, 0x83], 'retry', 'cluster', 'TARGET_ERROR'],
  [[0x81, 0x82, 0x84, 0x8c, 0x90, 0x95, 0x99, 0x9a, 0x9b], 'hold', 'cluster', 'TARGET_UNSUPPORTED'],
  [[0x85], 'hold', 'cluster', 'CLIENT_ID_REFUSED'],
  [[0x86, 0x87], 'hold', 'cluster', 'CREDENTIALS_REFUSED'],
  [[0x88, 0x89], 'retry', 'cluster', 'TARGET_UNAVAILABLE'],
  [[0x8a], 'hold', 'cluster', 'CLIENT_BANNED'],
  [[0x97, 0x9f], 'throttle', 'cluster', 'TARGET_THROTTLED'],
  [[0x9c, 0x9d], 'hold', 'cluster', 'TARGET_MOVED'],
];
const CONNACK_311: Expectation[] = [
  [[1], 'hold', 'cluster', 'TARGET_UNSUPPORTED'],
  [[2], 'hold', 'cluster', 'CLIENT_ID_REFUSED'],
  [[3], 'retry', 'cluster', 'TARGET_UNAVAILABLE'],
  [[4, 5], 'hold', 'cluster', 'CREDENTIALS_REFUSED'],
];
const PUBLISH: Expectation[] = [
  [[0x80, 0x83], 'hold', 'topic', 'PUBLISH_REFUSED'],
  [[0x87], 'hold', 'topic', 'ACCESS_DENIED'],
  [[0x90], 'dead-letter', 'message', 'TOPIC_INVALID'],
  [[0x91, 0x92], 'retry', 'cluster', 'TARGET_ERROR'],
  [[0x95], 'dead-letter', 'message', 'PAYLOAD_TOO_LARGE'],
  [[0x96, 0x97], 'throttle', 'cluster', 'TARGET_THROTTLED'],
  [[0x99], 'dead-letter', 'message', 'PAYLOAD_FORMAT_INVALID'],
];
const SUBSCRIBE: Expectation[] = [
  [[0x80, 0x83, 0x8f, 0x97], 'hold', 'topic', 'SUBSCRIBE_REFUSED'],
  [[0x87], 'hold', 'topic', 'ACCESS_DENIED'],
  [[0x91], 'retry', 'cluster', 'TARGET_ERROR'],
  [[0x9e, 0xa1, 0xa2], 'hold', 'cluster', 'TARGET_UNSUPPORTED'],
];
const DISCONNECT: Expectation[] = [
  [[0x00, 0x80, 0x89, 0x8b, 0x8d, 0x98, 0xa0], 'retry', 'cluster', 'TARGET_UNAVAILABLE'],
  [[0x81, 0x82, 0x83, 0x94], 'retry', 'cluster', 'TARGET_ERROR'],
  [[0x87], 'hold', 'topic', 'ACCESS_DENIED'],
  [[0x8e], 'hold', 'cluster', 'CLIENT_ID_TAKEN'],
  [[0x8f], 'hold', 'topic', 'SUBSCRIBE_REFUSED'],
  [[0x90], 'dead-letter', 'message', 'TOPIC_INVALID'],
  [[0x93, 0x96, 0x97, 0x9f], 'throttle', 'cluster', 'TARGET_THROTTLED'],
  [[0x95], 'dead-letter', 'message', 'PAYLOAD_TOO_LARGE'],
  [[0x99], 'dead-letter', 'message', 'PAYLOAD_FORMAT_INVALID'],
  [[0x9a], 'hold', 'cluster', 'RETAIN_UNSUPPORTED'],
  [[0x9b, 0x9e, 0xa1, 0xa2], 'hold', 'cluster', 'TARGET_UNSUPPORTED'],
  [[0x9c, 0x9d], 'hold', 'cluster', 'TARGET_MOVED'],
];

describe.each([
  { table: 'MQTT_CONNACK_CODES', rows: MQTT_CONNACK_CODES, expectations: CONNACK },
  { table: 'MQTT_311_CONNACK_CODES', rows: MQTT_311_CONNACK_CODES, expectations: CONNACK_311 },
  { table: 'MQTT_PUBLISH_CODES', rows: MQTT_PUBLISH_CODES, expectations: PUBLISH },
  { table: 'MQTT_SUBSCRIBE_CODES', rows: MQTT_SUBSCRIBE_CODES, expectations: SUBSCRIBE },
  { table: 'MQTT_DISCONNECT_CODES', rows: MQTT_DISCONNECT_CODES, expectations: DISCONNECT },
])('$table', ({ rows, expectations }) => {
  it.each(expectations)('%j → %s of the %s, %s', (statuses, reaction, scope, code) => {
    for (const status of statuses) {
      expect(errorOfRow(errorRow(rows, status, ''), 'said')).toMatchObject({ reaction, scope, code });
    }
  });

  it('has an expectation for each row, and each status once', () => {
    expect(rows.map(({ status }) => status).sort()).toEqual(
      expectations.flatMap(([statuses]) => statuses).sort(),
    );
  });
});

/** Reason codes of failures by packet, of table 2-6 of the specification (§2.4), but of AUTH, which no task uses. */
const OF_MQTT_5 = {
  CONNACK: '80 81 82 83 84 85 86 87 88 89 8a 8c 90 95 97 99 9a 9b 9c 9d 9f',
  // PUBACK, PUBREC, PUBREL and PUBCOMP.
  PUBLISH: '80 83 87 90 91 92 97 99',
  // SUBACK and UNSUBACK; 11 is no failure.
  SUBSCRIBE: '80 83 87 8f 91 97 9e a1 a2',
  // By a server.
  DISCONNECT: '80 81 82 83 87 89 8b 8d 8e 8f 90 93 94 95 96 97 98 99 9a 9b 9c 9d 9e 9f a0 a1 a2',
};

describe('the MQTT error tables', () => {
  it.each([
    ['CONNACK', MQTT_CONNACK_CODES],
    ['PUBLISH', MQTT_PUBLISH_CODES],
    ['SUBSCRIBE', MQTT_SUBSCRIBE_CODES],
    ['DISCONNECT', MQTT_DISCONNECT_CODES],
  ] as const)('name every reason code of a %s', (packet, rows) => {
    const codes = OF_MQTT_5[packet].split(' ').map((code) => Number.parseInt(code, 16));
    expect(codes.filter((code) => !rows.some(({ status }) => status === code))).toEqual([]);
  });

  it('give every hold a hint', () => {
    const rows = [
      MQTT_CONNACK_CODES,
      MQTT_311_CONNACK_CODES,
      MQTT_PUBLISH_CODES,
      MQTT_SUBSCRIBE_CODES,
      MQTT_DISCONNECT_CODES,
      MQTT_CONNECTION_ERRORS,
    ].flat();
    expect(rows.filter((row) => row.leaf === 'hold' && row.hint === undefined)).toEqual([]);
  });
});
