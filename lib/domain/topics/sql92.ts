/** What is wrong with an expression, and where; `position` counts UTF-16 units from 0. */
export interface Sql92Fault {
  position: number;
  message: string;
}

type TokenKind = 'word' | 'name' | 'string' | 'number' | 'symbol' | 'end';
interface Token {
  kind: TokenKind;
  /** Words in upper case, everything else as written. */
  text: string;
  position: number;
}

const WORDS: ReadonlySet<string> = new Set(
  'AND OR NOT BETWEEN IN IS NULL TRUE FALSE CONTAINS STARTSWITH ENDSWITH'.split(' '),
);
/** Of these RocketMQ knows none; read as names they would make it leave out the rest of the expression. */
const MISSING_WORDS: ReadonlySet<string> = new Set(['LIKE', 'ESCAPE', 'XOR', 'DIV', 'MOD', 'EXISTS']);
const TOKEN = /'(?:[^']|'')*'|[A-Za-z_$][A-Za-z0-9_$]*|\d+(?:\.\d+)?|<>|<=|>=|[=<>(),+-]/y;
const BLANK = /[ \t\r\n\f]*/y;
const TEXT_OPERATORS = ['CONTAINS', 'STARTSWITH', 'ENDSWITH'];
/** Deeper nesting is nobody's filter, and would be recursion without a bound. */
const MAX_DEPTH = 50;
const MAX_DIGITS = 18;

/**
 * Checks a filter expression by the grammar of RocketMQ 5.4.0 (`SelectorParser.jj`), a little more strictly. It matters because
 * RocketMQ itself is lenient where it hurts: it reads as far as it can and leaves out the rest, so that `site-id = 'a'` or
 * `a LIKE 'x%'` would be taken for the boolean property `site` or `a`.
 */
export function findSql92Fault(expression: string): Sql92Fault | undefined {
  try {
    createParser(tokensOf(expression)).parseAll();
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxFault) return { position: error.position, message: error.message };
    throw error;
  }
}

class SyntaxFault extends Error {
  override readonly name = 'SyntaxFault';
  readonly position: number;
  constructor(position: number, message: string) {
    super(message);
    this.position = position;
  }
}

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  let position = skipBlank(expression, 0);
  while (position < expression.length) {
    TOKEN.lastIndex = position;
    const text = TOKEN.exec(expression)?.[0];
    if (text === undefined) throw new SyntaxFault(position, unknownText(expression, position));
    tokens.push(tokenOf(text, position));
    position = skipBlank(expression, position + text.length);
  }
  tokens.push({ kind: 'end', text: '', position });
  return tokens;
}

function skipBlank(expression: string, position: number): number {
  BLANK.lastIndex = position;
  return position + (BLANK.exec(expression)?.[0].length ?? 0);
}

function tokenOf(text: string, position: number): Token {
  if (text.startsWith("'")) return { kind: 'string', text, position };
  if (/^\d/.test(text)) {
    if (text.length > MAX_DIGITS)
      throw new SyntaxFault(position, `a number has at most ${MAX_DIGITS} digits`);
    return { kind: 'number', text, position };
  }
  if (!/^[A-Za-z_$]/.test(text)) return { kind: 'symbol', text, position };
  const word = text.toUpperCase();
  if (MISSING_WORDS.has(word)) {
    const remedy = word === 'LIKE' ? ': use CONTAINS, STARTSWITH or ENDSWITH' : '';
    throw new SyntaxFault(position, `RocketMQ does not know ${word}${remedy}`);
  }
  return WORDS.has(word) ? { kind: 'word', text: word, position } : { kind: 'name', text, position };
}

function unknownText(expression: string, position: number): string {
  const character = String.fromCodePoint(expression.codePointAt(position) ?? 0);
  switch (character) {
    case "'":
      return "a text is not closed by ' (a quote within is written '')";
    case '"':
      return "a text stands in single quotes, as in site = 'berlin'";
    case '.':
      return 'a property with a dot in its name cannot be filtered by; numbers are written 0.5';
    case '!':
      return 'not equal is written <>';
    default:
      return `${JSON.stringify(character)} has no meaning here; there are = <> < <= > >= and AND OR NOT BETWEEN IN IS NULL CONTAINS STARTSWITH ENDSWITH`;
  }
}

/** What an operand is, as far as RocketMQ refuses mixtures of them. */
type Operand = 'condition' | 'property' | 'string' | 'number' | 'null';

/** A recursive descent over the tokens, one function for each level of the grammar. */
function createParser(tokens: readonly Token[]) {
  let index = 0;
  let depth = 0;
  const last = tokens.at(-1) ?? { kind: 'end', text: '', position: 0 };
  const peek = (): Token => tokens[index] ?? last;
  const isAt = (...texts: string[]): boolean =>
    (peek().kind === 'word' || peek().kind === 'symbol') && texts.includes(peek().text);
  const take = (...texts: string[]): boolean => {
    if (!isAt(...texts)) return false;
    index += 1;
    return true;
  };
  const fail = (message: string): never => {
    throw new SyntaxFault(peek().position, message);
  };
  const expect = (text: string, message: string): void => {
    if (!take(text)) fail(message);
  };

  function parseAll(): void {
    const start = peek().position;
    const operand = parseOr();
    if (peek().kind !== 'end') fail(leftOver(peek()));
    if (operand !== 'condition' && operand !== 'property') {
      throw new SyntaxFault(start, "this is no condition, as site = 'berlin' is one");
    }
  }

  function parseOr(): Operand {
    let operand = parseAnd();
    while (take('OR')) operand = bothConditions(operand, parseAnd());
    return operand;
  }

  function parseAnd(): Operand {
    let operand = parseEquality();
    while (take('AND')) operand = bothConditions(operand, parseEquality());
    return operand;
  }

  function bothConditions(...operands: Operand[]): Operand {
    if (!operands.every(isCondition)) fail('AND and OR stand between conditions');
    return 'condition';
  }

  function parseEquality(): Operand {
    let operand = parseComparison();
    for (;;) {
      if (take('=', '<>')) {
        if (parseComparison() === 'null' || operand === 'null')
          fail('null is compared by IS NULL or IS NOT NULL');
        operand = 'condition';
      } else if (take('IS')) {
        take('NOT');
        expect('NULL', 'after IS stands NULL or NOT NULL');
        operand = 'condition';
      } else {
        return operand;
      }
    }
  }

  function parseComparison(): Operand {
    const operand = parseUnary();
    if (take('<', '<=', '>', '>=')) {
      if (!isNumeric(operand) || !isNumeric(parseUnary())) fail('less and greater compare numbers only');
      return 'condition';
    }
    const next = tokens[index + 1];
    const isNegated =
      isAt('NOT') && next?.kind === 'word' && ['BETWEEN', 'IN', ...TEXT_OPERATORS].includes(next.text);
    if (!isNegated && !isAt('BETWEEN', 'IN', ...TEXT_OPERATORS)) return operand;
    if (operand !== 'property') fail(`before ${peek().text} stands a property`);
    if (isNegated) index += 1;
    if (take('BETWEEN')) parseRange();
    else if (take('IN')) parseList();
    else {
      const operator = peek().text;
      index += 1;
      takeString(`after ${operator} stands a text in single quotes`);
    }
    return 'condition';
  }

  function parseRange(): void {
    const low = parseBound();
    expect('AND', 'BETWEEN has two bounds, as in a BETWEEN 1 AND 5');
    if (low > parseBound()) fail('the first bound of BETWEEN is the lower one');
  }

  function parseBound(): number {
    const sign = isAt('-') ? -1 : 1;
    take('-', '+');
    const token = peek();
    if (token.kind !== 'number') fail('the bounds of BETWEEN are numbers');
    index += 1;
    return sign * Number(token.text);
  }

  function parseList(): void {
    const message = "IN has a list of texts, as in site IN ('berlin', 'bonn')";
    expect('(', message);
    do takeString(message);
    while (take(','));
    expect(')', message);
  }

  function takeString(message: string): void {
    if (peek().kind !== 'string') fail(message);
    index += 1;
  }

  function parseUnary(): Operand {
    if (take('NOT')) {
      if (!isCondition(nested(parseUnary))) fail('NOT stands before a condition');
      return 'condition';
    }
    if (!take('-', '+')) return parsePrimary();
    if (peek().kind !== 'number') fail('RocketMQ does not calculate: a sign stands before a number only');
    return parsePrimary();
  }

  function parsePrimary(): Operand {
    if (take('(')) {
      const operand = nested(parseOr);
      expect(')', 'a parenthesis is not closed');
      return operand;
    }
    if (take('TRUE', 'FALSE')) return 'condition';
    if (take('NULL')) return 'null';
    const { kind } = peek();
    if (kind === 'end') fail('something is missing at the end');
    if (kind === 'word' || kind === 'symbol')
      fail(`a property or value is expected here, not ${peek().text}`);
    index += 1;
    return kind === 'name' ? 'property' : kind === 'string' ? 'string' : 'number';
  }

  function nested(parse: () => Operand): Operand {
    depth += 1;
    if (depth > MAX_DEPTH) fail(`nested more than ${MAX_DEPTH} deep`);
    const operand = parse();
    depth -= 1;
    return operand;
  }

  return { parseAll };
}

function isCondition(operand: Operand): boolean {
  return operand === 'condition' || operand === 'property';
}

function isNumeric(operand: Operand): boolean {
  return operand === 'number' || operand === 'property';
}

function leftOver({ text }: Token): string {
  if (text === ')') return 'there is no parenthesis to close';
  return text === '-' || text === '+'
    ? 'RocketMQ does not calculate, and a property with a hyphen in its name cannot be filtered by'
    : `AND or OR is missing before ${text}`;
}
