import type { ClusterKind } from '../clusters/cluster.ts';
import type { Violation } from '../errors/violation.ts';
import { awsIotSizeFault, topicTextFault } from './topic-name.ts';

const SHARE = '$share/';
const PRESENCE = /^\$aws\/events\/presence\/(connected|disconnected)\/([^/+#]+|\+)$/;
// Quotes and backslash end or escape a literal, `${` begins a substitution template, and some lexers take the separators
// U+2028 and U+2029 for the end of a line.
const UNSAFE_IN_SQL = /['"`\\\p{Cc}\p{Zl}\p{Zp}]|\$\{/u;

/**
 * Checks a topic filter by MQTT 5 §4.7 and, for shared subscriptions, §4.8.2. Code `TOPIC_FILTER_INVALID`.
 */
export function checkTopicFilter(topicFilter: string): Violation | undefined {
  const fault = topicTextFault(topicFilter) ?? shareFault(topicFilter) ?? wildcardFault(topicFilter);
  return fault === undefined
    ? undefined
    : { code: 'TOPIC_FILTER_INVALID', message: `A topic filter ${fault}.` };
}

/**
 * Checks a topic filter for a rule of AWS IoT Core, whose SQL will hold it as a literal. Codes beyond those of
 * `checkTopicFilter`: `TOPIC_FILTER_NOT_ON_AWS_IOT` (size, depth, unsafe characters), `RESERVED_TOPIC` (`$…` other than
 * presence events), `SHARED_SUBSCRIPTION_NOT_ON_THIS_PATH`.
 */
export function checkAwsIotTopicFilter(topicFilter: string): Violation | undefined {
  const violation = checkTopicFilter(topicFilter);
  if (violation !== undefined) return violation;
  const fault = awsIotSizeFault(topicFilter);
  if (fault !== undefined) {
    return { code: 'TOPIC_FILTER_NOT_ON_AWS_IOT', message: `A topic filter ${fault} on AWS IoT Core.` };
  }
  if (UNSAFE_IN_SQL.test(topicFilter)) {
    return {
      code: 'TOPIC_FILTER_NOT_ON_AWS_IOT',
      message:
        'A topic filter becomes a literal in the SQL of a rule: it must not hold quotes, backslashes, control characters, ' +
        'line separators or "${"; use "+" for such a topic level.',
    };
  }
  if (topicFilter.startsWith(SHARE)) {
    return {
      code: 'SHARED_SUBSCRIPTION_NOT_ON_THIS_PATH',
      message:
        'A rule of AWS IoT Core is no subscriber: give the filter without $share, or use options.via "session".',
    };
  }
  if (topicFilter.startsWith('$') && !PRESENCE.test(topicFilter)) {
    return {
      code: 'RESERVED_TOPIC',
      message:
        'Topics that begin with "$" are reserved; of them only $aws/events/presence/connected/+ and ' +
        '$aws/events/presence/disconnected/+ can be replicated, or one client identifier in place of "+".',
    };
  }
  return undefined;
}

/**
 * Checks a topic filter for a session of our own: MQTT's rules, and on AWS IoT Core its sizes and reserved topics. Codes as of
 * `checkAwsIotTopicFilter`; here `SHARED_SUBSCRIPTION_NOT_ON_THIS_PATH` because lanes make the shared subscriptions.
 */
export function checkSessionTopicFilter(topicFilter: string, kind: ClusterKind): Violation | undefined {
  const violation = checkTopicFilter(topicFilter);
  if (violation !== undefined) return violation;
  if (topicFilter.startsWith(SHARE)) {
    return {
      code: 'SHARED_SUBSCRIPTION_NOT_ON_THIS_PATH',
      message:
        'Shared subscriptions are made by mqferry: give the filter without $share, and use options.lanes.',
    };
  }
  if (kind !== 'aws-iot') return undefined;
  const fault = awsIotSizeFault(topicFilter);
  if (fault !== undefined) {
    return { code: 'TOPIC_FILTER_NOT_ON_AWS_IOT', message: `A topic filter ${fault} on AWS IoT Core.` };
  }
  if (topicFilter.startsWith('$') && !topicFilter.startsWith('$aws/')) {
    return {
      code: 'RESERVED_TOPIC',
      message:
        'Topics that begin with "$" are reserved on AWS IoT Core; of them only those within $aws/ exist.',
    };
  }
  return undefined;
}

/** The filter within a shared subscription `$share/<name>/<filter>`, or the filter itself. */
export function withoutShare(topicFilter: string): string {
  if (!topicFilter.startsWith(SHARE)) return topicFilter;
  return topicFilter.slice(topicFilter.indexOf('/', SHARE.length) + 1);
}

/** The filter as a shared subscription is subscribed to; without a share name the filter itself. */
export function withShare(topicFilter: string, shareName: string | undefined): string {
  return shareName === undefined ? topicFilter : `${SHARE}${shareName}/${topicFilter}`;
}

function shareFault(topicFilter: string): string | undefined {
  if (topicFilter !== '$share' && !topicFilter.startsWith(SHARE)) return undefined;
  const [, shareName = '', ...levels] = topicFilter.split('/');
  if (shareName === '' || /[+#]/.test(shareName)) {
    return 'that begins with $share/ needs a share name of at least one character, without "+" and "#" [MQTT-4.8.2-1]';
  }
  if (levels.join('/') === '') {
    return 'that begins with $share/ must go on with the share name, "/" and a topic filter [MQTT-4.8.2-2]';
  }
  return undefined;
}

function wildcardFault(topicFilter: string): string | undefined {
  const levels = topicFilter.split('/');
  for (const [index, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || index < levels.length - 1)) {
      return 'may hold "#" only as its whole last level [MQTT-4.7.1-1], as in stations/#';
    }
    if (level.includes('+') && level !== '+') {
      return 'may hold "+" only as a whole level [MQTT-4.7.1-2], as in stations/+/status';
    }
  }
  return undefined;
}
