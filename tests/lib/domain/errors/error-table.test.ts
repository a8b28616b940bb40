import { status } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import {
  type ErrorRow,
  errorOfRow,
  errorRow,
  GRPC_STATUSES,
  ROCKETMQ_STATUSES,
} from '../../../../lib/domain/errors/error-table.ts';

/** status, text, reaction, scope, code, may be stored */
type Expectation = [number, string, string, string, string, boolean];

const ROCKETMQ: Expectation[] = [
  [40000, '', 'dead-letter', 'message', 'MESSAGE_INVALID', false],
  [40001, '', 'hold', 'cluster', 'ENDPOINT_INVALID', false],
  [40002, '', 'hold', 'topic', 'TOPIC_REFUSED', false],
  [40003, '', 'hold', 'topic', 'CONSUMER_GROUP_INVALID', false],
  [40004, '', 'dead-letter', 'message', 'TAG_INVALID', false],
  [40005, '', 'dead-letter', 'message', 'KEY_INVALID', false],
  [40006, '', 'dead-letter', 'message', 'MESSAGE_GROUP_INVALID', false],
  [40007, '', 'dead-letter', 'message', 'PROPERTY_INVALID', false],
  [40008, '', 'retry', 'cluster', 'TARGET_ERROR', false],
  [40009, '', 'dead-letter', 'message', 'MESSAGE_INVALID', false],
  [40010, '', 'hold', 'topic', 'FILTER_INVALID', false],
  [40011, '', 'hold', 'cluster', 'CONSUMER_SETTINGS_INVALID', false],
  [40012, '', 'dead-letter', 'message', 'MESSAGE_INVALID', false],
  [40014, '', 'hold', 'topic', 'TOPIC_TYPE_CHANGED', false],
  [40015, '', 'hold', 'cluster', 'CONSUMER_SETTINGS_INVALID', false],
  [40016, '', 'dead-letter', 'message', 'MESSAGE_INVALID', false],
  [40018, '', 'hold', 'cluster', 'CONSUMER_SETTINGS_INVALID', false],
  [40017, '', 'retry', 'cluster', 'TARGET_ERROR', false],
  [40019, '', 'retry', 'cluster', 'TARGET_ERROR', false],
  [40020, '', 'retry', 'cluster', 'TARGET_ERROR', false],
  [40100, 'User:u has no permission to access Topic:t', 'hold', 'topic', 'ACCESS_DENIED', false],
  [40100, 'check signature failed.', 'hold', 'cluster', 'CREDENTIALS_REFUSED', false],
  [40200, '', 'hold', 'cluster', 'ACCOUNT_SUSPENDED', false],
  [40300, '', 'hold', 'topic', 'ACCESS_DENIED', false],
  [40400, '', 'hold', 'topic', 'TOPIC_NOT_FOUND', false],
  [40402, '', 'hold', 'topic', 'TOPIC_NOT_FOUND', false],
  [40403, '', 'hold', 'topic', 'CONSUMER_GROUP_NOT_FOUND', false],
  [40404, '', 'retry', 'cluster', 'TARGET_ERROR', false],
  [40800, '', 'retry', 'cluster', 'TARGET_TIMEOUT', true],
  [41300, '', 'dead-letter', 'message', 'PAYLOAD_TOO_LARGE', false],
  [41301, '', 'dead-letter', 'message', 'BODY_TOO_LARGE', false],
  [41302, '', 'dead-letter', 'message', 'BODY_EMPTY', false],
  [42800, '', 'retry', 'cluster', 'TARGET_ERROR', false],
  [42900, '', 'throttle', 'cluster', 'TARGET_THROTTLED', false],
  [42901, '', 'throttle', 'cluster', 'TARGET_THROTTLED', false],
  [42902, '', 'throttle', 'cluster', 'TARGET_THROTTLED', false],
  [43100, '', 'dead-letter', 'message', 'PROPERTIES_TOO_LARGE', false],
  [43101, '', 'dead-letter', 'message', 'PROPERTIES_TOO_LARGE', false],
  [50000, '', 'retry', 'cluster', 'TARGET_ERROR', true],
  [50001, 'message body size exceeded', 'dead-letter', 'message', 'BODY_TOO_LARGE', false],
  [50001, 'the message is illegal, maybe', 'dead-letter', 'message', 'MESSAGE_INVALID', false],
  [
    50001,
    '[PC_SYNCHRONIZED]broker busy, start flow control',
    'throttle',
    'cluster',
    'TARGET_THROTTLED',
    false,
  ],
  [50001, 'the topic[t] sending message is forbidden', 'hold', 'topic', 'ACCESS_DENIED', false],
  [50001, 'topic[t] not exist, apply first please!', 'hold', 'topic', 'TOPIC_NOT_FOUND', false],
  [50001, "parse the consumer's subscription failed", 'hold', 'topic', 'FILTER_INVALID', false],
  [50001, 'service not available now', 'retry', 'cluster', 'TARGET_ERROR', true],
  [50002, '', 'retry', 'cluster', 'TARGET_STORED_UNSAFE', true],
  [50100, '', 'hold', 'cluster', 'TARGET_UNSUPPORTED', false],
  [50400, '', 'retry', 'cluster', 'TARGET_TIMEOUT', true],
  [50401, '', 'retry', 'cluster', 'TARGET_STORED_UNSAFE', true],
  [50402, '', 'retry', 'cluster', 'TARGET_STORED_UNSAFE', true],
  [50500, '', 'hold', 'cluster', 'TARGET_UNSUPPORTED', false],
  [50501, '', 'hold', 'cluster', 'TARGET_UNSUPPORTED', false],
  [50502, '', 'hold', 'cluster', 'TARGET_UNSUPPORTED', false],
  [60000, '', 'retry', 'cluster', 'TARGET_ERROR', false],
];

const GRPC: Expectation[] = [
  [1, '', 'retry', 'cluster', 'TARGET_UNAVAILABLE', true],
  [2, '', 'retry', 'cluster', 'TARGET_ERROR', true],
  [
    3,
    'the specified group[a b] contains illegal characters',
    'hold',
    'topic',
    'CONSUMER_GROUP_INVALID',
    false,
  ],
  [3, '', 'hold', 'cluster', 'CONSUMER_SETTINGS_INVALID', false],
  [4, 'Deadline exceeded after 1.000s,Waiting for LB pick', 'retry', 'cluster', 'TARGET_UNREACHABLE', false],
  [
    4,
    'Deadline exceeded after 1.000s,remote_addr=127.0.0.1:8081',
    'retry',
    'cluster',
    'TARGET_TIMEOUT',
    true,
  ],
  [5, '', 'retry', 'cluster', 'TARGET_ERROR', true],
  [6, '', 'retry', 'cluster', 'TARGET_ERROR', true],
  [7, '', 'hold', 'cluster', 'CREDENTIALS_REFUSED', false],
  [8, 'Received message larger than max (5 vs. 4)', 'dead-letter', 'message', 'PAYLOAD_TOO_LARGE', false],
  [8, 'Bandwidth exhausted', 'throttle', 'cluster', 'TARGET_THROTTLED', false],
  [9, '', 'retry', 'cluster', 'TARGET_ERROR', true],
  [10, '', 'retry', 'cluster', 'TARGET_ERROR', true],
  [11, '', 'retry', 'cluster', 'TARGET_ERROR', true],
  [12, '', 'hold', 'cluster', 'ENDPOINT_INVALID', false],
  [13, '', 'retry', 'cluster', 'TARGET_ERROR', true],
  [
    14,
    'No connection established. Last error: self-signed certificate.',
    'hold',
    'cluster',
    'TLS_UNTRUSTED',
    false,
  ],
  [14, 'Last error: write EPROTO … wrong version number', 'hold', 'cluster', 'TLS_MISMATCH', false],
  [
    14,
    'No connection established. Last error: ECONNREFUSED',
    'retry',
    'cluster',
    'TARGET_UNREACHABLE',
    false,
  ],
  [14, 'Connection dropped', 'retry', 'cluster', 'TARGET_UNAVAILABLE', true],
  [15, '', 'retry', 'cluster', 'TARGET_ERROR', true],
  [16, '', 'hold', 'cluster', 'CREDENTIALS_REFUSED', false],
];

describe.each([
  { table: 'ROCKETMQ_STATUSES', rows: ROCKETMQ_STATUSES, expectations: ROCKETMQ },
  { table: 'GRPC_STATUSES', rows: GRPC_STATUSES, expectations: GRPC },
])('$table', ({ rows, expectations }) => {
  it.each(expectations)('%i "%s" → %s of the %s, %s', (status, text, reaction, scope, code, maybeStored) => {
    const row = errorRow(rows, status, text);
    expect(row.maybeStored ?? false).toBe(maybeStored);
    expect(errorOfRow(row, 'said')).toMatchObject({ reaction, scope, code, message: 'said' });
  });

  it('has an expectation for each row', () => {
    const met = new Set(expectations.map(([status, text]) => errorRow(rows, status, text)));
    expect(rows.filter((row) => !met.has(row))).toEqual([]);
  });

  it('gives every hold a hint', () => {
    expect(rows.filter((row) => row.leaf === 'hold' && row.hint === undefined)).toEqual([]);
  });
});

/** No refusals: an answer, and two that a consumer reads itself (receipts.ts, receive.ts). */
const NO_ERRORS = [
  'CODE_UNSPECIFIED',
  'OK',
  'MULTIPLE_RESULTS',
  'INVALID_RECEIPT_HANDLE',
  'MESSAGE_NOT_FOUND',
];

describe('the tables of RocketMQ and gRPC', () => {
  it('name every status that there is', () => {
    const named = new Set(ROCKETMQ_STATUSES.map(({ status }) => status));
    const codes = Object.entries(definition.Code).filter(([name]) => !NO_ERRORS.includes(name));
    expect(codes.length).toBeGreaterThan(40);
    expect(codes.filter(([, code]) => !named.has(code))).toEqual([]);
    const statuses = Object.values(status).filter((one) => typeof one === 'number' && one !== status.OK);
    expect(statuses).toHaveLength(16);
    expect(statuses.filter((one) => !GRPC_STATUSES.some((row) => row.status === one))).toEqual([]);
  });
});

describe('errorRow', () => {
  it('retries a status that no row names, under a code that names it', () => {
    const error = errorOfRow(errorRow(ROCKETMQ_STATUSES, 50999, 'whatever'), 'said');
    expect(error).toMatchObject({ reaction: 'retry', code: 'TARGET_STATUS_50999' });
  });
});

describe('errorOfRow', () => {
  it('hands on hint, cause, wait and the doubt about storing', () => {
    const cause = new Error('below');
    const row: ErrorRow = {
      status: 1,
      leaf: 'throttled',
      waitMs: 70,
      code: 'SLOW',
      meaning: 'slow',
      hint: 'Send less.',
    };
    expect(errorOfRow(row, 'said', { cause, maybeStored: true })).toMatchObject({
      code: 'SLOW',
      waitMs: 70,
      hint: 'Send less.',
      cause,
      maybeStored: true,
    });
  });
});
