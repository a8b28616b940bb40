import { z } from 'zod';
import type { Violation } from '../errors/violation.ts';
import { checkOf, combineChecks, type DefinitionCheck, type Warning } from '../rules/definition-check.ts';
import { checkTemplates } from '../rules/template-rules.ts';
import { covers } from '../topics/topic-filter.ts';
import { checkAwsIotTopicFilter } from '../topics/topic-filter-syntax.ts';
import type { MqttToRocketmqDefinition } from './task.ts';

const Template = z.string().min(1).max(1024);

/** How a task tells that a device is offline: `options.presence`. */
export const PresenceOption = z
  .strictObject({
    debounceSeconds: z.int().min(5).max(900).default(30).meta({
      description: 'A device that is back within this time was not offline',
    }),
    cleanDisconnect: z.enum(['ignore', 'report']).default('ignore').meta({
      description: 'Whether a device that has said goodbye (MQTT DISCONNECT) counts as offline',
    }),
    will: z
      .strictObject({
        topicFilter: z.string().min(1).max(256).meta({
          description: 'Which messages are wills; one of the source’s filters has to cover it',
          example: 'stations/+/status',
        }),
        clientId: Template.default('${clientId}').meta({
          description: 'The client identifier of the device whose will it is',
          example: '${topic[2]}',
        }),
        when: z
          .strictObject({ value: Template, equals: z.string().max(1024) })
          .optional()
          .meta({
            description: 'Where devices publish other messages to the topic too: what is true of wills alone',
            example: { value: '${payload.status:-}', equals: 'offline' },
          }),
      })
      .optional(),
  })
  .meta({
    description:
      'Rule path: wills and disconnect events of AWS IoT become one message that the device is offline, with its reason. Needs the filters $aws/events/presence/connected/+ and $aws/events/presence/disconnected/+.',
  });
export type PresenceOption = z.infer<typeof PresenceOption>;

const EVENTS = '$aws/events/presence/';
const CONNECTED = `${EVENTS}connected/`;
const DISCONNECTED = `${EVENTS}disconnected/`;
const NOTHING: DefinitionCheck = { errors: [], warnings: [] };

/** The rules of the option, on the path that has it. */
export function checkPresence({ source, options }: MqttToRocketmqDefinition): DefinitionCheck {
  const { presence, maxAgeSeconds } = options;
  if (presence === undefined) return NOTHING;
  return combineChecks([
    checkOf('source.topicFilters', withoutEvents(source.topicFilters)),
    checkWill(presence.will, source.topicFilters),
    checkOf('options.maxAgeSeconds', neverSent(presence, maxAgeSeconds)),
    { errors: [], warnings: presence.will === undefined ? [] : willWarnings(presence.will) },
  ]);
}

/** Without `connected` nobody knows that a device is back, without `disconnected` not why it went. */
function withoutEvents(topicFilters: readonly string[]): Violation | undefined {
  const devicesOf = (prefix: string) =>
    new Set(
      topicFilters
        .filter((topicFilter) => topicFilter.startsWith(prefix))
        .map((topicFilter) => topicFilter.slice(prefix.length)),
    );
  const connected = devicesOf(CONNECTED);
  const disconnected = devicesOf(DISCONNECTED);
  const areSame =
    connected.size === disconnected.size && [...connected].every((one) => disconnected.has(one));
  if (connected.size > 0 && areSame) return undefined;
  return {
    code: 'PRESENCE_NEEDS_EVENTS',
    message: `a device is told offline by both kinds of events: add ${CONNECTED}+ and ${DISCONNECTED}+, or the same client identifiers to both`,
  };
}

function checkWill(will: PresenceOption['will'], topicFilters: readonly string[]): DefinitionCheck {
  if (will === undefined) return NOTHING;
  const { topicFilter, clientId, when } = will;
  return combineChecks([
    checkOf('options.presence.will.topicFilter', willFilterFault(topicFilter, topicFilters)),
    checkTemplates(
      [
        { field: 'options.presence.will.clientId', text: clientId },
        ...(when === undefined ? [] : [{ field: 'options.presence.will.when.value', text: when.value }]),
      ],
      'rule',
      { topicFilters: [topicFilter], dialect: 'aws-iot' },
    ),
  ]);
}

function willFilterFault(topicFilter: string, topicFilters: readonly string[]): Violation | undefined {
  const fault = checkAwsIotTopicFilter(topicFilter);
  if (fault !== undefined) return fault;
  const isRead = topicFilters.some((outer) => covers(outer, topicFilter, 'aws-iot'));
  if (isRead && !topicFilter.startsWith('$')) return undefined;
  return {
    code: 'PRESENCE_WILL_NOT_READ',
    message:
      'wills are published to topics of devices, which the source has to read: add this filter to source.topicFilters too',
  };
}

function neverSent(
  { debounceSeconds }: PresenceOption,
  maxAgeSeconds: number | undefined,
): Violation | undefined {
  if (maxAgeSeconds === undefined || maxAgeSeconds > debounceSeconds) return undefined;
  return {
    code: 'PRESENCE_EXPIRES',
    message: `that a device is offline is told after ${debounceSeconds} s, and has expired by then: more than options.presence.debounceSeconds`,
  };
}

function willWarnings({ when, topicFilter }: NonNullable<PresenceOption['will']>): Warning[] {
  if (when !== undefined) return [];
  const message = `every message to ${topicFilter} is taken for a will, and carried only as part of the message that its device is offline: where devices publish other messages there, tell wills by options.presence.will.when`;
  return [{ field: 'options.presence.will.topicFilter', code: 'PRESENCE_ALL_ARE_WILLS', message }];
}
