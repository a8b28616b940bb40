import { lookup } from 'node:dns';
import { lookup as resolve } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { hostFault, isForbiddenIp } from '../../domain/clusters/cluster-address.ts';
import { BrokerHoldError } from '../../domain/errors/errors.ts';

let isGuarded = false;

/**
 * From now on no connection to a broker is made to this machine or to metadata of its cloud. Every function that reaches brokers
 * says so at its start, but on the local stack, whose brokers are on this machine. One switch for the process, as
 * there is one network: an adapter that is added later is guarded without being told.
 */
export function guardAddresses({ allowLocal }: { allowLocal: boolean }): void {
  isGuarded = !allowLocal;
}

/** Throws `BrokerHoldError` `ADDRESS_NOT_ALLOWED` for a host at which no cluster is, as far as can be seen. */
export function assertAllowedHost(host: string): void {
  if (isGuarded && hostFault(host) !== undefined) throw notAllowed(host);
}

/**
 * The same, and of a name all that it resolves to now. A name that cannot be resolved is left to whoever connects. Undefined:
 * there is nothing to wait for.
 */
export function checkHost(host: string): Promise<void> | undefined {
  if (!isGuarded) return undefined;
  assertAllowedHost(host);
  return resolve(host, { all: true }).then(
    (addresses) => {
      if (addresses.some(({ address }) => isForbiddenIp(address))) throw notAllowed(host);
    },
    // It is told when the connection fails for the same reason.
    () => undefined,
  );
}

/** `lookup` of a socket: between a look at a name and its connection nobody can change what it resolves to. */
export function guardedLookup(): { lookup?: LookupFunction } {
  if (!isGuarded) return {};
  return {
    lookup: (hostname, options, callback) => {
      lookup(hostname, { ...options, all: true }, (error, addresses) => {
        if (error !== null) callback(error, []);
        else if (addresses.some(({ address }) => isForbiddenIp(address))) callback(notAllowed(hostname), []);
        else if (options.all === true) callback(null, addresses);
        else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
      });
    },
  };
}

function notAllowed(host: string): BrokerHoldError {
  return new BrokerHoldError(
    `${host} leads to this machine or to metadata of its cloud, where no cluster is`,
    {
      code: 'ADDRESS_NOT_ALLOWED',
      scope: 'cluster',
      hint: 'Correct the address of the cluster, or what its name server or proxies call themselves.',
    },
  );
}
