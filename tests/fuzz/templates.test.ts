import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UnmappableMessageError } from '../../lib/domain/errors/errors.ts';
import { parseTemplate, render, type Template, variables } from '../../lib/domain/templates/template.ts';
import {
  contextOfMqttMessage,
  contextOfRocketmqMessage,
} from '../../lib/domain/templates/template-context.ts';
import { mayRender, topicFilterOf } from '../../lib/domain/templates/template-topics.ts';
import { corpusOf, FUZZ, hostileBytes, hostileJson, mutatedBytes } from '../helpers/mutations.ts';
import { failure } from '../lib/mapping/failure.ts';

const SECRET = 'pLaNtEd';

/** A part of a template, and what it says: a literal text, or the parts of an expression. */
const literals = fc.constantFrom('a', '/', 'stations/', '$', '$$', '}', '{', ':-', 'ä', '#', '+');
const steps = fc.constantFrom(
  '.error',
  '[0]',
  '["odd.name"]',
  '[""]',
  '.__proto__',
  '.constructor',
  '.length',
  '.n',
);
const names = fc.constantFrom(
  ...[
    'topic',
    'topic[1]',
    'topic[99999]',
    'clientId',
    'tag',
    'key',
    'prop.site',
    'prop["a:-}b"]',
    'prop.__proto__',
  ],
);
const expressions = fc
  .tuple(
    fc.oneof(
      names,
      fc.array(steps, { minLength: 1, maxLength: 4 }).map((path) => `payload${path.join('')}`),
    ),
    fc.constantFrom('', ':-', ':-none', ':-:-', ':-$'),
  )
  .map(([name, fallback]) => `\${${name}${fallback}}`);
const templates = fc.array(fc.oneof(literals, expressions), { maxLength: 6 }).map((parts) => parts.join(''));
const hostileTemplates = fc.oneof(
  { weight: 3, arbitrary: templates },
  {
    weight: 6,
    arbitrary: mutatedBytes(templates.map((text) => Buffer.from(text))).map((bytes) =>
      bytes.toString('utf8'),
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);

const documents = fc.record(
  {
    error: fc.constantFrom<unknown>(SECRET, 12, { error: SECRET }, [SECRET, [1]], null),
    n: fc.constantFrom<unknown>(1, 2 ** 60, [2 ** 60], { n: 2 ** 60 }),
    'odd.name': fc.boolean(),
    '': fc.constant(SECRET),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const payloads = fc.oneof(
  hostileJson(corpusOf<unknown>(documents)).map((text) => Buffer.from(text)),
  hostileBytes(corpusOf(documents.map((value) => Buffer.from(JSON.stringify(value))))),
);

const contexts = fc
  .record({
    payload: payloads,
    userProperties: fc.constantFrom<[string, string][]>([], [['site', SECRET]], [['__proto__', 'x']]),
    topicName: fc.constantFrom('stations/4711/status', '', '/', 'a'),
  })
  .map((message) => [
    contextOfMqttMessage(message),
    contextOfRocketmqMessage({
      rocketmqTopic: 't',
      keys: [],
      payload: message.payload,
      property: (name) => message.userProperties.find(([candidate]) => candidate === name)?.[1],
    }),
  ]);

describe('the template language', () => {
  it('parses or says where not; what parses renders, or lacks a value and quotes none', () => {
    let rendered = 0;
    fc.assert(
      fc.property(hostileTemplates, contexts, (text, messages) => {
        const parsed = parseTemplate(text);
        if (!parsed.ok) {
          return parsed.position <= text.length;
        }
        for (const context of messages) {
          const output = attempt(parsed.template, () => render(parsed.template, context));
          if (output === undefined) continue;
          rendered += 1;
          // Whatever the values are, what was worked out of the template beforehand has to hold.
          if (!mayRender(parsed.template, output)) expect(output).toBe(text);
        }
        return topicFilterOf(parsed.template).length <= text.length + 1;
      }),
      FUZZ,
    );
    expect(rendered).toBeGreaterThan(FUZZ.numRuns / 10);
  });

  it('reads again what it says it has read', () => {
    fc.assert(
      fc.property(hostileTemplates, (text) => {
        const parsed = parseTemplate(text);
        if (!parsed.ok) return true;
        const again = parsed.template.parts
          .map((part) =>
            typeof part === 'string'
              ? part.replaceAll('$', '$$$$')
              : `\${${part.text}${part.defaultText === undefined ? '' : `:-${part.defaultText}`}}`,
          )
          .join('');
        const reparsed = parseTemplate(again);
        return reparsed.ok && isDeepStrictEqual(reparsed.template.parts, parsed.template.parts);
      }),
      FUZZ,
    );
  });
});

/** A missing value is the only thing that may be wrong, and only where a variable has no default. */
function attempt(template: Template, action: () => string): string | undefined {
  let output: string | undefined;
  const error = failure(() => {
    output = action();
  });
  if (error === undefined) return output;
  if (!(error instanceof UnmappableMessageError) || error.code !== 'TEMPLATE_VALUE_MISSING') throw error;
  const said = `${error.message} ${error.hint ?? ''}`;
  if (said.includes(SECRET) && !template.text.includes(SECRET)) throw error;
  if (variables(template).every(({ defaultText }) => defaultText !== undefined)) throw error;
  return undefined;
}
