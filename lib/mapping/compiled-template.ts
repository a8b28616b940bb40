import { literalText, parseTemplate, render, type Template } from '../domain/templates/template.ts';
import type { TemplateContext } from '../domain/templates/template-context.ts';

/** A template of a task: its text when that is the same for every message, else what renders it. */
export type CompiledTemplate = string | Template;

/**
 * Compiles a template. Throws a `TypeError` for one that does not parse: it was checked when the task was saved, so this
 * is a fault of ours, and no message may become a dead letter by it.
 */
export function compileTemplate(text: string): CompiledTemplate {
  const parsed = parseTemplate(text);
  if (!parsed.ok) {
    throw new TypeError(`the template "${text}" does not parse at ${parsed.position}: ${parsed.message}`);
  }
  return literalText(parsed.template) ?? parsed.template;
}

export function renderCompiled(template: CompiledTemplate, context: TemplateContext): string {
  return typeof template === 'string' ? template : render(template, context);
}
