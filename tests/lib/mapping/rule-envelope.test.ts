import { describe, expect, it } from '@jest/globals';
import { ruleSql } from '../../../lib/mapping/rule-envelope.ts';

const TASK_ID = '01JDAB3C4D5E6F7G8H9JKMNPQR';

describe('ruleSql', () => {
  it('wraps a topic filter in the envelope of the current version, without WHERE', () => {
    expect(ruleSql({ taskId: TASK_ID, version: 3, ruleNumber: 2, topicFilter: 'stations/+/status' })).toBe(
      `SELECT 1 AS v, '${TASK_ID}' AS task, 3 AS r, 2 AS f, topic() AS t, clientid() AS c, timestamp() AS ts, ` +
        "traceid() AS id, encode(*, 'base64') AS p, get_user_properties() AS up, " +
        "get_mqtt_property('content_type') AS ct, get_mqtt_property('format_indicator') AS fi, " +
        "get_mqtt_property('response_topic') AS rt, get_mqtt_property('correlation_data') AS cd " +
        "FROM 'stations/+/status'",
    );
  });

  it.each([
    { topicFilter: "a' WHERE 'x" },
    { topicFilter: 'a/#/b' },
    { taskId: "x' AS y, get_secret('z') AS task" },
    { version: 1.5 },
    { ruleNumber: Number.NaN },
  ])('lets nothing into the SQL that was not checked: %j', (change) => {
    const rule = { taskId: TASK_ID, version: 1, ruleNumber: 0, topicFilter: 'a', ...change };
    expect(() => ruleSql(rule)).toThrow(TypeError);
  });
});
