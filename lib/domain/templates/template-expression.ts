/** One step into a JSON document: a member's name, or an index from 0. */
export type PathStep = string | number;

export type Variable =
  | { kind: 'topic' }
  | { kind: 'topicLevel'; level: number }
  | { kind: 'clientId' }
  | { kind: 'tag' }
  | { kind: 'key' }
  | { kind: 'prop'; name: string }
  | { kind: 'payload'; path: readonly PathStep[] };

/** `${…}` in a template: the variable, as it was written, and what stands in for a missing value. */
export interface TemplateExpression {
  variable: Variable;
  /** As written, without default: `topic[2]`. */
  text: string;
  defaultText?: string;
}

export type ExpressionResult =
  | { ok: true; expression: TemplateExpression; end: number }
  | { ok: false; position: number; message: string };

type Fault = { position: number; message: string };
type Parsed<T> = { value: T; end: number } | Fault;

const KNOWN = 'topic, topic[n], clientId, tag, key, prop.name and payload.path';
const WORD = /[A-Za-z]+/y;
const LEVEL = /\[(\d{1,5})\]/y;
const INDEX = /\[(\d{1,9})\]/y;
const QUOTED = /\["(?:[^"\\]|\\.)*"\]/y;
const DEFAULT = /:-[^}]*/y;
// A bare name ends at "}" or ":-"; a bare step of a JSON path also at ".", "[" and "]".
const BARE_NAME = /(?:[^}:]|:(?!-))+/y;
const BARE_STEP = /(?:[^}:.[\]]|:(?!-))+/y;

/** Parses one `${…}` that begins at `start`. `end` is the position after its `}`. */
export function parseExpression(text: string, start: number): ExpressionResult {
  const parsed = parseVariable(text, start + 2);
  if ('message' in parsed) return { ok: false, ...parsed };
  const written = text.slice(start + 2, parsed.end);
  const fallback = match(DEFAULT, text, parsed.end);
  const end = parsed.end + (fallback?.[0].length ?? 0);
  if (text[end] !== '}') {
    const message =
      end < text.length
        ? `after \${${written} there must be "}" or a default ":-…}"`
        : `\${${written} is not closed by "}"; a literal dollar sign is written "$$"`;
    return { ok: false, position: end, message };
  }
  const expression = { variable: parsed.value, text: written };
  if (fallback === undefined) return { ok: true, expression, end: end + 1 };
  const defaultText = fallback[0].slice(':-'.length);
  if (defaultText.includes('${')) {
    return { ok: false, position: parsed.end + 2, message: 'a default is literal text and holds no ${…}' };
  }
  return { ok: true, expression: { ...expression, defaultText }, end: end + 1 };
}

function parseVariable(text: string, start: number): Parsed<Variable> {
  const word = match(WORD, text, start)?.[0] ?? '';
  const end = start + word.length;
  switch (word) {
    case 'topic':
      return parseTopic(text, end);
    case 'clientId':
    case 'tag':
    case 'key':
      return { value: { kind: word }, end };
    case 'prop':
      return parseProperty(text, end);
    case 'payload':
      return parsePayload(text, end);
    default:
      return { position: start, message: `unknown variable; there are ${KNOWN}` };
  }
}

function parseTopic(text: string, start: number): Parsed<Variable> {
  if (text[start] !== '[') return { value: { kind: 'topic' }, end: start };
  const found = match(LEVEL, text, start);
  const level = Number(found?.[1] ?? 0);
  if (found === undefined || level === 0) {
    return { position: start, message: 'topic levels count from 1, as in ${topic[2]}' };
  }
  return { value: { kind: 'topicLevel', level }, end: start + found[0].length };
}

function parseProperty(text: string, start: number): Parsed<Variable> {
  const bare = text[start] === '.' ? match(BARE_NAME, text, start + 1) : undefined;
  if (bare !== undefined) return { value: { kind: 'prop', name: bare[0] }, end: start + 1 + bare[0].length };
  const quoted = parseQuoted(text, start);
  if (quoted !== undefined) return { value: { kind: 'prop', name: quoted.value }, end: quoted.end };
  return {
    position: start,
    message: 'a property is named as in ${prop.site}, or for odd names as a JSON string, ${prop["a:-b"]}',
  };
}

function parsePayload(text: string, start: number): Parsed<Variable> {
  const path: PathStep[] = [];
  let end = start;
  for (let step = parseStep(text, end); step !== undefined; step = parseStep(text, end)) {
    path.push(step.value);
    end = step.end;
  }
  if (path.length > 0) return { value: { kind: 'payload', path }, end };
  return {
    position: start,
    message:
      'a JSON path follows payload, as in ${payload.error.code}, ${payload.list[0]} or ${payload["odd.name"]}',
  };
}

function parseStep(text: string, start: number): { value: PathStep; end: number } | undefined {
  if (text[start] === '.') {
    const bare = match(BARE_STEP, text, start + 1);
    return bare === undefined ? undefined : { value: bare[0], end: start + 1 + bare[0].length };
  }
  const index = match(INDEX, text, start);
  if (index !== undefined) return { value: Number(index[1]), end: start + index[0].length };
  return parseQuoted(text, start);
}

function parseQuoted(text: string, start: number): { value: string; end: number } | undefined {
  const found = match(QUOTED, text, start);
  if (found === undefined) return undefined;
  try {
    return { value: String(JSON.parse(found[0].slice(1, -1))), end: start + found[0].length };
  } catch {
    // An escape that JSON does not know: the caller says what would be right.
    return undefined;
  }
}

function match(pattern: RegExp, text: string, position: number): RegExpExecArray | undefined {
  pattern.lastIndex = position;
  return pattern.exec(text) ?? undefined;
}
