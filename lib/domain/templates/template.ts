import { UnmappableMessageError } from '../errors/errors.ts';
import type { Violation } from '../errors/violation.ts';
import type { TemplateContext } from './template-context.ts';
import { parseExpression, type TemplateExpression, type Variable } from './template-expression.ts';

/** A parsed template, ready to render. Literal text and expressions, in order. */
export interface Template {
  text: string;
  parts: readonly (string | TemplateExpression)[];
}

/** `position` counts UTF-16 units from 0. */
export type ParseResult = { ok: true; template: Template } | { ok: false; position: number; message: string };

/** Where a template is rendered: what a message is known by there differs. */
export type TemplatePath = 'rule' | 'session' | 'pull';

const VARIABLES_OF_PATH: Record<TemplatePath, ReadonlySet<Variable['kind']>> = {
  rule: new Set(['topic', 'topicLevel', 'clientId', 'prop', 'payload']),
  session: new Set(['topic', 'topicLevel', 'prop', 'payload']),
  pull: new Set(['topic', 'topicLevel', 'clientId', 'tag', 'key', 'prop', 'payload']),
};

/**
 * Parses a template; its language is described in docs/mapping.md. `$$` is a literal dollar sign, and a dollar sign
 * before anything but `{` or `$` is itself.
 *
 * @example
 * const parsed = parseTemplate('stations/${key}/commands');
 * if (parsed.ok) render(parsed.template, contextOfMqttMessage(message));
 */
export function parseTemplate(text: string): ParseResult {
  const parts: (string | TemplateExpression)[] = [];
  let literal = '';
  let position = 0;
  while (position < text.length) {
    const dollar = text.indexOf('$', position);
    const end = dollar === -1 ? text.length : dollar;
    literal += text.slice(position, end);
    position = end;
    if (text.startsWith('${', position)) {
      const parsed = parseExpression(text, position);
      if (!parsed.ok) return parsed;
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push(parsed.expression);
      position = parsed.end;
    } else if (dollar !== -1) {
      literal += '$';
      position += text.startsWith('$$', position) ? 2 : 1;
    }
  }
  if (literal !== '') parts.push(literal);
  return { ok: true, template: { text, parts } };
}

/**
 * Renders a template for one message. A missing value without default throws `UnmappableMessageError`
 * `TEMPLATE_VALUE_MISSING`, which names template and variable, never a value.
 */
export function render(template: Template, context: TemplateContext): string {
  let rendered = '';
  for (const part of template.parts) {
    rendered += typeof part === 'string' ? part : expressionValue(part, template, context);
  }
  return rendered;
}

/** The expressions of a template, in order. */
export function variables(template: Template): TemplateExpression[] {
  return template.parts.filter((part) => typeof part !== 'string');
}

/** Whether a template renders to the same text for every message. */
export function isLiteral(template: Template): boolean {
  return template.parts.every((part) => typeof part === 'string');
}

/** The text that a template renders to for every message; undefined: it depends on the message. */
export function literalText(template: Template): string | undefined {
  return isLiteral(template) ? template.parts.join('') : undefined;
}

/** The same of a template as it was written; undefined too when it cannot be read. */
export function literalTextOf(text: string): string | undefined {
  const parsed = parseTemplate(text);
  return parsed.ok ? literalText(parsed.template) : undefined;
}

/**
 * Checks that a path knows the variables of a template. A variable with a default is allowed everywhere. Code
 * `NOT_ON_THIS_PATH`.
 */
export function checkTemplateVariables(template: Template, path: TemplatePath): Violation | undefined {
  const known = VARIABLES_OF_PATH[path];
  const unknown = variables(template).find(
    ({ variable, defaultText }) => defaultText === undefined && !known.has(variable.kind),
  );
  if (unknown === undefined) return undefined;
  const remedy =
    unknown.variable.kind === 'clientId'
      ? 'the client identifier of a publisher is known on the rule path only'
      : 'tag and key belong to messages that come from RocketMQ';
  return {
    code: 'NOT_ON_THIS_PATH',
    message: `\${${unknown.text}} has no value here: ${remedy}. Give it a default, as in \${${unknown.text}:-none}, or leave it out.`,
  };
}

function expressionValue(
  expression: TemplateExpression,
  template: Template,
  context: TemplateContext,
): string {
  const value = resolve(expression.variable, context) ?? expression.defaultText;
  if (value !== undefined) return value;
  throw new UnmappableMessageError(
    `the message has no value for \${${expression.text}} in the template "${template.text}"`,
    { code: 'TEMPLATE_VALUE_MISSING', hint: `give it a default: \${${expression.text}:-none}` },
  );
}

function resolve(variable: Variable, context: TemplateContext): string | undefined {
  switch (variable.kind) {
    case 'topic':
      return context.topic();
    case 'topicLevel':
      return context.topicLevel(variable.level);
    case 'clientId':
      return context.clientId();
    case 'tag':
      return context.tag();
    case 'key':
      return context.key();
    case 'prop':
      return context.property(variable.name);
    case 'payload':
      return context.payloadValue(variable.path);
  }
}
