import { describe, expect, it } from '@jest/globals';
import { errorOfConnecting, errorOfConnection, errorOfReason } from '../../../../lib/adapters/mqtt/errors.ts';
import { BrokerUnavailableError } from '../../../../lib/domain/errors/errors.ts';

const nodeError = (code: string, message = code) => Object.assign(new Error(message), { code });

describe('errorOfReason', () => {
  it('says what was done, the code as the specification writes it, and what it means', () => {
    expect(errorOfReason('publish', 0x87)).toMatchObject({
      code: 'ACCESS_DENIED',
      message: 'publishing to the MQTT broker: 0x87: not authorised to publish',
      maybeStored: false,
    });
    expect(errorOfReason('disconnect', 0, { maybeStored: true })).toMatchObject({
      message: 'the MQTT broker disconnected us: 0x00: normal disconnection',
      maybeStored: true,
    });
  });

  it('takes a return code of MQTT 3.1.1 for what it means there', () => {
    expect(errorOfReason('connack', 5).code).toBe('CREDENTIALS_REFUSED');
    expect(errorOfReason('connack', 0x86).code).toBe('CREDENTIALS_REFUSED');
  });

  it('retries a code of another time', () => {
    expect(errorOfReason('publish', 0xf0)).toMatchObject({ code: 'TARGET_STATUS_240', reaction: 'retry' });
  });
});

describe('errorOfConnecting', () => {
  it('reads the number in an error of MQTT.js', () => {
    const refused = Object.assign(new Error('Connection refused: Not authorized'), { code: 135 });
    expect(errorOfConnecting(refused).code).toBe('CREDENTIALS_REFUSED');
  });

  it.each([
    ['a host that is unknown', nodeError('ENOTFOUND'), 'hold', 'HOST_UNKNOWN'],
    ['a name that cannot be resolved now', nodeError('EAI_AGAIN'), 'retry', 'TARGET_UNREACHABLE'],
    ['a closed port', nodeError('ECONNREFUSED'), 'retry', 'TARGET_UNREACHABLE'],
    [
      'a closed port of several addresses',
      new AggregateError([nodeError('ECONNREFUSED'), nodeError('ECONNREFUSED')], 'all failed'),
      'retry',
      'TARGET_UNREACHABLE',
    ],
    ['a certificate of nobody known', nodeError('SELF_SIGNED_CERT_IN_CHAIN'), 'hold', 'TLS_UNTRUSTED'],
    ['a certificate for another name', nodeError('ERR_TLS_CERT_ALTNAME_INVALID'), 'hold', 'TLS_UNTRUSTED'],
    ['an old certificate', nodeError('CERT_HAS_EXPIRED'), 'hold', 'TLS_UNTRUSTED'],
    [
      'a missing client certificate',
      nodeError('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'),
      'hold',
      'CREDENTIALS_REFUSED',
    ],
    ['a port without TLS', nodeError('EPROTO', 'write EPROTO wrong version number'), 'hold', 'TLS_MISMATCH'],
    ['a refused websocket', new Error('Unexpected server response: 403'), 'hold', 'CREDENTIALS_REFUSED'],
    ['a wrong path', new Error('Unexpected server response: 404'), 'hold', 'ENDPOINT_INVALID'],
    ['a busy front door', new Error('Unexpected server response: 503'), 'retry', 'TARGET_UNAVAILABLE'],
    ['too many websockets', new Error('Unexpected server response: 429'), 'throttle', 'TARGET_THROTTLED'],
    ['no CONNACK in time', new Error('connack timeout'), 'retry', 'TARGET_TIMEOUT'],
    ['a close without a word', new Error('Connection closed'), 'retry', 'TARGET_UNAVAILABLE'],
    ['something else', 'nonsense', 'retry', 'TARGET_UNAVAILABLE'],
  ])('for %s', (_, cause, reaction, code) => {
    expect(errorOfConnecting(cause)).toMatchObject({ reaction, code, scope: 'cluster', maybeStored: false });
  });

  it('leaves our own errors as they are', () => {
    const error = new BrokerUnavailableError('ours');
    expect(errorOfConnecting(error)).toBe(error);
  });
});

describe('errorOfConnection', () => {
  it('says that a message may have been taken', () => {
    expect(errorOfConnection(nodeError('ECONNRESET'), { maybeStored: true }).maybeStored).toBe(true);
  });
});
