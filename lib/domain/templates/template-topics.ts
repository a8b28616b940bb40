import type { Template } from './template.ts';

/**
 * The topic filter that matches what a template for an MQTT topic comes to: a level with an expression is `+`, and from
 * `${topic}` on, which has levels of its own, it is `#`. Values are taken to have no slash.
 */
export function topicFilterOf(template: Template): string {
  const levels = [''];
  for (const part of template.parts) {
    const last = levels.length - 1;
    if (typeof part !== 'string') {
      if (part.variable.kind === 'topic') return [...levels.slice(0, last), '#'].join('/');
      levels[last] = '+';
      continue;
    }
    const [head = '', ...tail] = part.split('/');
    if (levels[last] !== '+') levels[last] += head;
    levels.push(...tail);
  }
  return levels.join('/');
}

/** Whether a template may come to this text, whatever its expressions come to. */
export function mayRender({ parts }: Template, text: string): boolean {
  let position = 0;
  let isOpen = false;
  for (const [index, part] of parts.entries()) {
    if (typeof part !== 'string') {
      isOpen = true;
      continue;
    }
    if (index === parts.length - 1 && isOpen)
      return text.length - position >= part.length && text.endsWith(part);
    const found = isOpen ? text.indexOf(part, position) : text.startsWith(part, position) ? position : -1;
    if (found === -1) return false;
    position = found + part.length;
    isOpen = false;
  }
  return isOpen || position === text.length;
}
