import type { DeadLetter } from '../../domain/dead-letters/dead-letter.ts';
import { parseJson } from '../../mapping/json.ts';
import { envelopeOfRuleError, RuleError } from '../../mapping/rule-error.ts';
import type { SourceRecord } from '../rule-path/source-record.ts';

/** A dead letter of the way to RocketMQ as the record it once was. */
export function recordOf(letter: DeadLetter): SourceRecord {
  const { deadLetterId, firstSeenAtMs } = letter;
  return {
    recordId: deadLetterId,
    receiptHandle: '',
    queueArn: '',
    body: envelopeOf(letter),
    receiveCount: 1,
    sentTimeMs: firstSeenAtMs,
    firstReceiveTimeMs: firstSeenAtMs,
    redriven: deadLetterId,
  };
}

function envelopeOf(letter: DeadLetter): string {
  if (letter.origin !== 'rule') return letter.body;
  const error = RuleError.safeParse(parseJson(letter.body));
  return error.success ? envelopeOfRuleError(error.data, letter) : letter.body;
}
