import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MqttMessage } from '../../../../lib/domain/messages/message.ts';
import {
  checkTemplateVariables,
  isLiteral,
  parseTemplate,
  render,
  type Template,
  type TemplatePath,
  variables,
} from '../../../../lib/domain/templates/template.ts';
import { contextOfMqttMessage } from '../../../../lib/domain/templates/template-context.ts';

const message: MqttMessage = {
  topicName: 'stations/4711/status/',
  payload: Buffer.from(
    '{"error":{"code":12,"text":"E\u00e4"},"ok":true,"list":[{"x":1.5}],"odd.name":"o","nil":null}',
  ),
  clientId: 'charger-7',
  userProperties: [
    ['site', 'berlin'],
    ['site', 'paris'],
    ['a:-}b', 'odd'],
    ['', 'nameless'],
    ['empty', ''],
  ],
};

describe('render', () => {
  it.each([
    ['', ''],
    ['charger_status', 'charger_status'],
    ['${topic}', 'stations/4711/status/'],
    ['${topic[1]}-${topic[2]}', 'stations-4711'],
    ['[${topic[4]}]', '[]'],
    ['${topic[5]:-none}', 'none'],
    ['${clientId}', 'charger-7'],
    ['${prop.site}', 'berlin'],
    ['${prop.empty:-default}', ''],
    ['${prop["a:-}b"]}', 'odd'],
    ['${prop[""]}', 'nameless'],
    ['${prop.a:b:-x}', 'x'],
    ['${payload.error.code}', '12'],
    ['${payload.error.text}', 'E\u00e4'],
    ['${payload.ok}', 'true'],
    ['${payload.list[0].x}', '1.5'],
    ['${payload["odd.name"]}', 'o'],
    ['${payload.nil:-null}', 'null'],
    ['${tag:-}', ''],
    ['${key:-$$ and $}', '$$ and $'],
    ['$', '$'],
    ['5$ a$b', '5$ a$b'],
    ['$$', '$'],
    ['$${topic}', '${topic}'],
    ['$$$${topic}', '$${topic}'],
    ['$$${topic[2]}', '$4711'],
    ['a}b', 'a}b'],
  ])('renders %j as %j', (text, expected) => {
    expect(render(parsed(text), contextOfMqttMessage(message))).toBe(expected);
  });

  it.each([
    ['${topic[5]}', 'topic[5]'],
    ['${tag}', 'tag'],
    ['x${prop.none}', 'prop.none'],
    ['${payload.error}', 'payload.error'],
    ['${payload.nil}', 'payload.nil'],
  ])(
    'refuses %j for a message without a value, naming the variable and nothing of the payload',
    (text, variable) => {
      let error: unknown;
      try {
        render(parsed(text), contextOfMqttMessage(message));
      } catch (caught) {
        error = caught;
      }
      expect(error).toMatchObject({
        name: 'UnmappableMessageError',
        code: 'TEMPLATE_VALUE_MISSING',
        reaction: 'dead-letter',
        message: `the message has no value for \${${variable}} in the template "${text}"`,
      });
      expect(JSON.stringify(error)).not.toContain('berlin');
    },
  );

  it('never renders undefined, null or [object Object]', () => {
    const json = fc.json().map((text) => Buffer.from(text));
    fc.assert(
      fc.property(
        json,
        fc.constantFrom('payload[0]', 'payload.a', 'payload["__proto__"]', 'payload.constructor'),
        (payload, variable) => {
          const rendered = render(
            parsed(`\${${variable}:-missing}`),
            contextOfMqttMessage({ ...message, payload }),
          );
          const value = JSON.parse(payload.toString()) as unknown;
          const member =
            variable === 'payload[0]' ? (Array.isArray(value) ? value[0] : undefined) : undefined;
          if (typeof member === 'string') expect(rendered).toBe(member);
          else expect(rendered).not.toMatch(/undefined|null|\[object/);
        },
      ),
    );
  });
});

describe('parseTemplate', () => {
  it.each<[text: string, position: number, message: RegExp]>([
    [
      '${nope}',
      2,
      /unknown variable; there are topic, topic\[n\], clientId, tag, key, prop\.name and payload\.path/,
    ],
    ['ab${}', 4, /unknown variable/],
    ['${', 2, /unknown variable/],
    ['${topics}', 2, /unknown variable/],
    ['${topic', 7, /not closed by "\}"/],
    ['${topic:-x', 10, /not closed by "\}"/],
    ['${topic x}', 7, /there must be "\}" or a default/],
    ['${topic[0]}', 7, /count from 1/],
    ['${topic[-1]}', 7, /count from 1/],
    ['${topic[a]}', 7, /count from 1/],
    ['${prop}', 6, /a property is named as in/],
    ['${prop.}', 6, /a property is named as in/],
    ['${prop.:-x}', 6, /a property is named as in/],
    ['${prop["\\x"]}', 6, /a property is named as in/],
    ['${payload}', 9, /a JSON path follows payload/],
    ['${payload.}', 9, /a JSON path follows payload/],
    ['${payload.a.}', 11, /there must be "\}"/],
    ['${payload[x]}', 9, /a JSON path follows payload/],
    ['${tag:-${key}}', 7, /a default is literal text/],
  ])('refuses %s at %d', (text, position, expected) => {
    expect(parseTemplate(text)).toEqual({ ok: false, position, message: expect.stringMatching(expected) });
  });

  it('answers for every text, and a doubled dollar sign makes any text literal', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('$', '{', '}', 't', 'topic', '[1]', ':-', '.', 'prop', '"') }),
        (text) => {
          expect(typeof parseTemplate(text).ok).toBe('boolean');
          expect(render(parsed(text.replaceAll('$', '$$$$')), contextOfMqttMessage(message))).toBe(text);
        },
      ),
    );
  });

  it('takes any name in the quoted form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const [expression] = variables(parsed(`\${prop[${JSON.stringify(name)}]}`));
        expect(expression?.variable).toEqual({ kind: 'prop', name });
      }),
    );
  });
});

describe('variables', () => {
  it('lists the expressions in order, with their defaults', () => {
    expect(variables(parsed('a${topic[2]}b${prop.x:-}'))).toEqual([
      { variable: { kind: 'topicLevel', level: 2 }, text: 'topic[2]' },
      { variable: { kind: 'prop', name: 'x' }, text: 'prop.x', defaultText: '' },
    ]);
  });
});

describe('isLiteral', () => {
  it('tells text from templates', () => {
    expect(isLiteral(parsed('charger_status'))).toBe(true);
    expect(isLiteral(parsed('a$$b'))).toBe(true);
    expect(isLiteral(parsed('${topic}'))).toBe(false);
  });
});

describe('checkTemplateVariables', () => {
  it.each<[text: string, path: TemplatePath]>([
    ['${clientId}${topic}${topic[1]}${prop.a}${payload.a}', 'rule'],
    ['${topic}${topic[1]}${prop.a}${payload.a}', 'session'],
    ['${clientId}${topic}${topic[1]}${tag}${key}${prop.a}${payload.a}', 'pull'],
    ['${clientId:-unknown}', 'session'],
    ['${tag:-}', 'rule'],
  ])('allows %s on the %s path', (text, path) => {
    expect(checkTemplateVariables(parsed(text), path)).toBeUndefined();
  });

  it.each<[text: string, path: TemplatePath, remedy: RegExp]>([
    ['${clientId}', 'session', /rule path only/],
    ['${topic}${tag}', 'rule', /\$\{tag\} has no value here: tag and key/],
    ['${key}', 'session', /tag and key/],
  ])('refuses %s on the %s path', (text, path, remedy) => {
    expect(checkTemplateVariables(parsed(text), path)).toEqual({
      code: 'NOT_ON_THIS_PATH',
      message: expect.stringMatching(remedy),
    });
  });
});

function parsed(text: string): Template {
  const result = parseTemplate(text);
  if (!result.ok) throw new Error(`${text} at ${result.position}: ${result.message}`);
  return result.template;
}
