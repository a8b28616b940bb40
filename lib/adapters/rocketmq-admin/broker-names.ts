/**
 * Names as brokers have them. Where the cluster has a namespace, the proxy puts it before each topic and group
 * (`NamespaceUtil` of RocketMQ); users never see it.
 */
export interface BrokerNames {
  wrap(name: string): string;
  /** Undefined: the name is of no or another namespace. */
  unwrap(brokerName: string): string | undefined;
}

export function createBrokerNames(namespace: string | undefined): BrokerNames {
  if (namespace === undefined || namespace === '') return { wrap: (name) => name, unwrap: (name) => name };
  const prefix = `${namespace}%`;
  return {
    wrap: (name) => `${prefix}${name}`,
    unwrap: (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : undefined),
  };
}
