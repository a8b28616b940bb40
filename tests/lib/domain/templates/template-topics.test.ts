import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseTemplate, type Template } from '../../../../lib/domain/templates/template.ts';
import { mayRender, topicFilterOf } from '../../../../lib/domain/templates/template-topics.ts';
import { matches } from '../../../../lib/domain/topics/topic-filter.ts';

function parsed(text: string): Template {
  const result = parseTemplate(text);
  if (!result.ok) throw new Error(result.message);
  return result.template;
}

describe('topicFilterOf', () => {
  it.each([
    ['a/b', 'a/b'],
    ['stations/${key}/commands', 'stations/+/commands'],
    ['stations/x-${key}-y/${tag}', 'stations/+/+'],
    ['${key}${tag}', '+'],
    ['${topic}', '#'],
    ['copy/${topic}/end', 'copy/#'],
    ['copy/of-${topic}', 'copy/#'],
    ['${topic[1]}//', '+//'],
  ])('of %j is %j', (template, topicFilter) => {
    expect(topicFilterOf(parsed(template))).toBe(topicFilter);
  });

  it('matches whatever comes out, as long as values have no slash', () => {
    const value = fc.stringMatching(/^[a-z]{1,5}$/);
    const piece = fc.oneof(fc.stringMatching(/^[a-z/]{1,4}$/), fc.constant('${key}'));
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1 }), value, (pieces, key) => {
        const text = pieces.join('');
        expect(matches(topicFilterOf(parsed(text)), text.replaceAll('${key}', key))).toBe(true);
      }),
    );
  });
});

describe('mayRender', () => {
  it.each([
    ['status', 'status', true],
    ['status', 'status2', false],
    ['s_${key}', 's_', true],
    ['s_${key}', 's_a', true],
    ['s_${key}', 't_a', false],
    ['${key}_s', 'a_s', true],
    ['${key}_s', 'a_t', false],
    ['a${key}a', 'a', false],
    ['a${key}a', 'aa', true],
    ['${a}'.replace('a', 'key'), 'anything', true],
    ['a${key}b${tag}c', 'a-b-b-c', true],
    ['a${key}b${tag}c', 'a-c-b', false],
  ])('%j may come to %j: %s', (template, text, expected) => {
    expect(mayRender(parsed(template), text)).toBe(expected);
  });

  it('is true of everything that does come out', () => {
    const piece = fc.oneof(fc.stringMatching(/^[ab]{0,3}$/), fc.constantFrom('${key}', '${tag}'));
    const value = fc.stringMatching(/^[ab]{0,4}$/);
    fc.assert(
      fc.property(fc.array(piece), value, value, (pieces, key, tag) => {
        const text = pieces.join('');
        expect(mayRender(parsed(text), text.replaceAll('${key}', key).replaceAll('${tag}', tag))).toBe(true);
      }),
    );
  });
});
