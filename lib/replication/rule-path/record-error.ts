import type { BridgeError } from '../../domain/errors/errors.ts';
import { type MessageError, messageError } from '../../domain/errors/message-errors.ts';
import { deadLetterIdOf } from '../dead-letters/dead-letter-id.ts';
import { taskOfEnvelope } from '../task-names.ts';
import type { SourceRecord } from './source-record.ts';

/** What failed of a record of a task's queue, told so that its message can be found. */
export function recordError(
  record: SourceRecord,
  { code, message }: Pick<BridgeError, 'code' | 'message'>,
  more: Pick<MessageError, 'atMs' | 'outcome'> & { taskId: string; targetTopic?: string | undefined },
): MessageError {
  const { atMs, outcome, taskId, targetTopic } = more;
  const { recordId, firstReceiveTimeMs } = record;
  const { topicName, mqferryId } = taskOfEnvelope(record.body) ?? {};
  return messageError({
    atMs,
    code,
    reason: message,
    outcome,
    ...(topicName === undefined ? {} : { sourceTopic: topicName }),
    ...(targetTopic === undefined ? {} : { targetTopic }),
    sourceId: recordId,
    ...(mqferryId === undefined ? {} : { mqferryId }),
    ...(outcome === 'retried'
      ? {}
      : { deadLetterId: deadLetterIdOf({ taskId, recordId, firstSeenAtMs: firstReceiveTimeMs }) }),
  });
}
