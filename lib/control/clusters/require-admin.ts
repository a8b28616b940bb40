import type { RocketmqClusterRecord } from '../../domain/clusters/cluster.ts';
import { RequestError } from '../../domain/errors/errors.ts';
import type { RocketmqAdmin, RocketmqAdmins } from '../../ports/rocketmq-admin.ts';
import { brokerAnswer } from './broker-answer.ts';

/**
 * The administration of a cluster. Throws `RequestError`: 409 `NO_ADMIN_PORT` where it has none, 502 when its secret cannot be read.
 *
 * @param remedy - what to do without: "create it there"
 */
export type RequireAdmin = (cluster: RocketmqClusterRecord, remedy: string) => Promise<RocketmqAdmin>;

export function createRequireAdmin({ admins }: { admins: RocketmqAdmins }): RequireAdmin {
  return async (cluster, remedy) => {
    const admin = await brokerAnswer(admins.adminOf(cluster));
    if (admin !== undefined) return admin;
    throw new RequestError(
      409,
      'NO_ADMIN_PORT',
      `cluster ${cluster.clusterId} names no "nameServer", so it cannot be administrated from here: ${remedy}`,
    );
  };
}
