import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hostFault, hostOf, isForbiddenIp } from '../../../../lib/domain/clusters/cluster-address.ts';

describe('hostFault', () => {
  it.each([
    '127.0.0.1',
    '127.1.2.3',
    '169.254.169.254',
    '169.254.170.2',
    '169.254.100.1',
    '0.0.0.0',
    '192.0.0.8',
    '224.0.0.1',
    '255.255.255.255',
    '[::1]',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:169.254.169.254',
    'fe80::1',
    'fd00:ec2::254',
    '64:ff9b::a9fe:a9fe',
    'localhost',
    'LOCALHOST',
    'a.localhost',
    'localhost.',
    'sandbox.localdomain',
    'sandbox',
    'instance-data',
    'instance-data.ec2.internal',
    'metadata.google.internal',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '127.1',
    '0177.0.0.1',
    '169.254.43518',
    '10.0.0.256',
  ])('refuses %s', (host) => {
    expect(hostFault(host)).toMatch(/^must /);
  });

  it.each([
    'rmq.example',
    '10.0.3.7',
    '172.16.0.1',
    '192.168.1.10',
    '100.64.0.1',
    '8.8.8.8',
    'ip-10-0-3-7.eu-west-1.compute.internal',
    'broker.localhost.example',
    'mqtt1',
    '1.rmq.example',
    '2001:db8::1',
    'fd12:3456::1',
  ])('takes %s, as brokers have it', (host) => {
    expect(hostFault(host)).toBeUndefined();
  });

  it('refuses every spelling of an address of this machine and of metadata', () => {
    const last = fc.nat({ max: 255 });
    const numbers = fc.oneof(
      fc.tuple(fc.constant(127), last, last, last),
      fc.tuple(fc.constant(169), fc.constant(254), last, last),
    );
    const spelled = numbers.chain(([a, b, c, d]) => {
      const whole = ((a * 256 + b) * 256 + c) * 256 + d;
      return fc.constantFrom(
        `${a}.${b}.${c}.${d}`,
        `${a}.${b}.${c * 256 + d}`,
        `${a}.${(b * 256 + c) * 256 + d}`,
        `${whole}`,
        `0x${whole.toString(16)}`,
        `0${a.toString(8)}.${b}.${c}.${d}`,
        `::ffff:${a}.${b}.${c}.${d}`,
      );
    });
    fc.assert(fc.property(spelled, (host) => hostFault(host) !== undefined));
  });
});

describe('isForbiddenIp', () => {
  it('takes what is no address for forbidden', () => {
    expect(isForbiddenIp('rmq.example')).toBe(true);
  });
});

describe('hostOf', () => {
  it('is what stands before the last colon', () => {
    expect([hostOf('rmq.example:8081'), hostOf('[::1]:8081')]).toEqual(['rmq.example', '[::1]']);
  });
});
