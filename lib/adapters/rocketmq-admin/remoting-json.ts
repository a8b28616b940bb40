/** Strings, punctuation, and everything else that stands together; a quote without end is left for `JSON.parse` to refuse. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+|"/gs;
/** A key that is an object holds plain members only. */
const MAX_KEY_DEPTH = 2;

/**
 * Makes strict JSON of what RocketMQ's Java side calls JSON: keys may be bare numbers there (broker ids), or objects (a message
 * queue), which become their own JSON text. Throws `SyntaxError` for what is neither.
 *
 * @example parseRemotingJson('{0:"a",{"queueId":1}:2}') // { '0': 'a', '{"queueId":1}': 2 }
 */
export function parseRemotingJson(text: string): unknown {
  return JSON.parse(toStrictJson(text, 0));
}

function toStrictJson(text: string, keyDepth: number): string {
  if (keyDepth > MAX_KEY_DEPTH) throw new SyntaxError('keys are nested too deep');
  const tokens = text.match(TOKENS) ?? [];
  const strict: string[] = [];
  const open: string[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? '';
    const isKey = open.at(-1) === '{' && ['{', ','].includes(tokens[at - 1] ?? '') && token !== '}';
    if (isKey && token === '{') {
      const end = closingOf(tokens, at);
      strict.push(JSON.stringify(toStrictJson(tokens.slice(at, end + 1).join(''), keyDepth + 1)));
      at = end;
      continue;
    }
    strict.push(isKey && !token.startsWith('"') ? JSON.stringify(token) : token);
    if (token === '{' || token === '[') open.push(token);
    if (token === '}' || token === ']') open.pop();
  }
  return strict.join('');
}

function closingOf(tokens: readonly string[], from: number): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at += 1) {
    if (tokens[at] === '{') depth += 1;
    if (tokens[at] === '}') depth -= 1;
    if (depth === 0) return at;
  }
  throw new SyntaxError('a key has no end');
}
