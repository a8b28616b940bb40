import { z } from 'zod';
import type { RegisteredTopic } from '../../domain/clusters/cluster.ts';
import { BridgeError } from '../../domain/errors/errors.ts';
import { cursorInvalid } from '../../domain/errors/request-errors.ts';
import { decodeCursor, encodeCursor } from '../../domain/page-cursor.ts';
import type { Warning } from '../../domain/rules/definition-check.ts';
import type { ClusterStore } from '../../ports/cluster-store.ts';
import type { ClusterTopic, RocketmqAdmins } from '../../ports/rocketmq-admin.ts';
import type { Page } from '../../ports/task-store.ts';
import { sentenceOf } from './broker-answer.ts';

/** A topic as far as it is known. */
export interface ListedTopic extends Partial<Pick<RegisteredTopic, 'createdAt' | 'updatedAt'>> {
  clusterId: string;
  topic: string;
  /** The registered one, else the cluster's. */
  type: ClusterTopic['type'];
  registered: boolean;
  /** Absent: the cluster could not be asked. */
  onCluster?: boolean;
  /** Of a topic on the cluster: its own type, and its queues on each broker. */
  typeOnCluster?: ClusterTopic['type'];
  queues?: number;
}

/**
 * Topics in the order of their names: those of the cluster itself, where it has an administration, together with the registered
 * ones. A cluster that cannot be asked is a warning, not an error.
 *
 * Throws `RequestError` 404 `CLUSTER_NOT_FOUND`, 400 `CURSOR_INVALID`.
 */
export type ListTopics = (request: {
  clusterId: string;
  limit: number;
  cursor?: string | undefined;
}) => Promise<Page<ListedTopic> & { warnings?: Warning[] }>;

/** Registered topics that are read at a time; no less than a page may have. */
const READ_LIMIT = 100;

/** Where a list goes on: behind this name, and which registered topics to read for it. */
interface Place {
  after: string;
  storeCursor: string | undefined;
}
const PlaceText = z.tuple([z.string(), z.string().nullable()]);

export function createListTopics({
  clusters,
  admins,
}: {
  clusters: Pick<ClusterStore, 'get' | 'listTopics'>;
  admins: RocketmqAdmins;
}): ListTopics {
  /** Undefined: the cluster has no administration, or could not be asked. */
  async function askCluster(clusterId: string): Promise<{ topics?: ClusterTopic[]; warnings?: Warning[] }> {
    const cluster = await clusters.get(clusterId);
    if (cluster?.kind !== 'rocketmq') return {};
    try {
      const topics = await (await admins.adminOf(cluster))?.listTopics();
      return topics === undefined ? {} : { topics };
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      return { warnings: [{ field: '', code: error.code, message: sentenceOf(error) }] };
    }
  }

  return async ({ clusterId, limit, cursor }) => {
    const place = placeOf(clusterId, cursor);
    const { storeCursor } = place;
    const [{ topics, warnings }, read] = await Promise.all([
      askCluster(clusterId),
      clusters.listTopics(clusterId, {
        limit: READ_LIMIT,
        ...(storeCursor === undefined ? {} : { cursor: storeCursor }),
      }),
    ]);
    const known = joined(clusterId, topics, read, place.after);
    const items = known.slice(0, limit);
    const isLast = items.length === known.length && read.nextCursor === undefined;
    return {
      items,
      ...(isLast ? {} : { nextCursor: cursorOf(clusterId, nextPlace(place, items, read)) }),
      ...(warnings === undefined ? {} : { warnings }),
    };
  };
}

/** Both kinds behind a name, in order, as far as what was read of the registered ones reaches. */
function joined(
  clusterId: string,
  onCluster: readonly ClusterTopic[] | undefined,
  { items, nextCursor }: Page<RegisteredTopic>,
  after: string,
): ListedTopic[] {
  const end = nextCursor === undefined ? undefined : items.at(-1)?.topic;
  const isWithin = ({ topic }: { topic: string }) => topic > after && (end === undefined || topic <= end);
  const there = new Map((onCluster ?? []).filter(isWithin).map((one) => [one.topic, one]));
  const registered = new Map(items.filter(isWithin).map((one) => [one.topic, one]));
  return [...new Set([...there.keys(), ...registered.keys()])].sort().map((topic) => {
    const [own, ours] = [there.get(topic), registered.get(topic)];
    return {
      clusterId,
      topic,
      type: ours?.type ?? own?.type ?? 'UNSPECIFIED',
      registered: ours !== undefined,
      ...(onCluster === undefined ? {} : { onCluster: own !== undefined }),
      ...(own === undefined ? {} : { typeOnCluster: own.type, queues: own.queues }),
      ...(ours === undefined ? {} : { createdAt: ours.createdAt, updatedAt: ours.updatedAt }),
    };
  });
}

/** What was read is read again as long as some of it has not been listed. */
function nextPlace(place: Place, items: readonly ListedTopic[], read: Page<RegisteredTopic>): Place {
  const after = items.at(-1)?.topic ?? place.after;
  const isUsedUp = read.nextCursor !== undefined && read.items.every(({ topic }) => topic <= after);
  return { after, storeCursor: isUsedUp ? read.nextCursor : place.storeCursor };
}

const listOf = (clusterId: string) => `cluster-topics/${clusterId}`;

function cursorOf(clusterId: string, { after, storeCursor }: Place): string {
  return encodeCursor(listOf(clusterId), JSON.stringify([after, storeCursor ?? null]));
}

function placeOf(clusterId: string, cursor: string | undefined): Place {
  if (cursor === undefined) return { after: '', storeCursor: undefined };
  const parsed = PlaceText.safeParse(parsedJson(decodeCursor(listOf(clusterId), cursor)));
  if (!parsed.success) throw cursorInvalid();
  const [after, storeCursor] = parsed.data;
  return { after, storeCursor: storeCursor ?? undefined };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
