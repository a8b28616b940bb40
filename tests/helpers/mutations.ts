import fc from 'fast-check';

/** Cases of each fuzz test: `MQFERRY_FUZZ_CASES=1000000` for a night. */
export const CASES = Math.min(Number(process.env.MQFERRY_FUZZ_CASES ?? 10_000), 10_000_000);

/**
 * Some hundred samples of an arbitrary, always the same ones: what is changed about them is what a fuzz test draws anew in each
 * case, and drawing the valid input as well would take most of its time.
 */
export function corpusOf<T>(valid: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.constantFrom(...fc.sample(valid, { numRuns: 300, seed: 20_270_101 }));
}

/** How many cases a fuzz test runs; a failure prints the seed that repeats it. */
export const FUZZ = { numRuns: CASES } as const;

type BytesEdit = (bytes: Buffer) => Buffer;

/** A place in something of any length, so that one that shrinks keeps its place. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const at = (share: number, length: number) => Math.min(Math.floor(share * length), Math.max(length - 1, 0));

/** Bytes that mean something to length fields, varints and UTF-8. */
const sharpByte = fc.oneof(
  fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0xc0, 0xed, 0xf8, 0xff),
  fc.integer({ min: 0, max: 255 }),
);

const bytesEdit: fc.Arbitrary<BytesEdit> = fc.oneof(
  fc.tuple(place, fc.nat({ max: 7 })).map(
    ([share, bit]): BytesEdit =>
      (bytes) => {
        const changed = Buffer.from(bytes);
        const index = at(share, bytes.length);
        if (bytes.length > 0) changed[index] = (changed[index] ?? 0) ^ (1 << bit);
        return changed;
      },
  ),
  fc.tuple(place, sharpByte).map(
    ([share, byte]): BytesEdit =>
      (bytes) => {
        const changed = Buffer.from(bytes);
        if (bytes.length > 0) changed[at(share, bytes.length)] = byte;
        return changed;
      },
  ),
  fc.tuple(place, fc.array(sharpByte, { minLength: 1, maxLength: 9 })).map(
    ([share, more]): BytesEdit =>
      (bytes) => {
        const index = at(share, bytes.length);
        return Buffer.concat([bytes.subarray(0, index), Buffer.from(more), bytes.subarray(index)]);
      },
  ),
  fc.tuple(place, fc.nat({ max: 12 })).map(
    ([share, length]): BytesEdit =>
      (bytes) => {
        const index = at(share, bytes.length);
        return Buffer.concat([bytes.subarray(0, index), bytes.subarray(index + length)]);
      },
  ),
  fc.tuple(place, place, place).map(
    ([from, to, into]): BytesEdit =>
      (bytes) => {
        const [start = 0, end = 0] = [at(from, bytes.length), at(to, bytes.length)].sort((a, b) => a - b);
        const index = at(into, bytes.length);
        return Buffer.concat([bytes.subarray(0, index), bytes.subarray(start, end), bytes.subarray(index)]);
      },
  ),
  place.map(
    (share): BytesEdit =>
      (bytes) =>
        bytes.subarray(0, at(share, bytes.length)),
  ),
);

/** Valid bytes with one to four bytes or parts changed, moved, doubled or gone. */
export function mutatedBytes(valid: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(valid, fc.array(bytesEdit, { minLength: 1, maxLength: 4 }))
    .map(([bytes, edits]) => edits.reduce((changed, edit) => edit(changed), bytes));
}

/** Valid bytes, changed ones, and some that nobody made. */
export function hostileBytes(valid: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.oneof(
    { weight: 1, arbitrary: valid },
    { weight: 7, arbitrary: mutatedBytes(valid) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  );
}

/** Values that a reader of JSON may trip over. */
export const oddValues: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom<unknown>(
      ...[null, true, false, [], {}, [[]], [null], { '': '' }],
      // The last: no Date knows it, though it is an integer.
      ...[0, -1, 0.5, 1e300, 2 ** 53, 8.64e15 + 1],
      ...['', '0', 'null', ' ', '\u0000', '\ud800', '\u2028', "'", '__proto__', 'constructor'],
      ...['${', '${payload.a}', '$share/a/#', 'arn:aws:ssm:::parameter/x'],
    ),
  },
  { weight: 2, arbitrary: fc.integer() },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.nat({ max: 20_000 }).map((length) => 'x'.repeat(length)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 600 }), fc.boolean())
      .map(([depth, isList]) => nested(depth, (a) => (isList ? [a] : { a }))),
  },
);

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = wrap(value);
  return value;
}

/** Names that mean something to JavaScript. */
const oddNames = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', 'length', '', '0', 'v', 's3', 'then', 'toJSON'),
  fc.string({ maxLength: 6 }),
);

type Container = Record<string, unknown> | unknown[];
type JsonEdit = (root: unknown) => unknown;

const jsonEdit: fc.Arbitrary<JsonEdit> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(place, oddValues).map(
      ([share, value]): JsonEdit =>
        (root) =>
          changedAt(root, share, () => value),
    ),
  },
  {
    weight: 2,
    arbitrary: place.map(
      (share): JsonEdit =>
        (root) =>
          changedAt(root, share, () => undefined),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(place, oddNames, oddValues).map(
      ([share, name, value]): JsonEdit =>
        (root) =>
          changedAt(root, share, (inner) => withMember(inner, name, value)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(place, place).map(
      ([from, to]): JsonEdit =>
        (root) =>
          changedAt(root, to, () => valueAt(root, from)),
    ),
  },
);

/** A valid JSON value with one to three members changed, added, moved or gone. */
export function mutatedJson(valid: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc
    .tuple(valid, fc.array(jsonEdit, { minLength: 1, maxLength: 3 }))
    .map(([value, edits]) => edits.reduce((changed, edit) => edit(changed), value));
}

/** Texts of JSON: of valid values, of changed ones, broken as text, and of nobody. */
export function hostileJson(valid: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const text = (value: unknown) => JSON.stringify(value) ?? 'null';
  const bytes = valid.map((value) => Buffer.from(text(value)));
  return fc.oneof(
    { weight: 1, arbitrary: valid.map(text) },
    { weight: 6, arbitrary: mutatedJson(valid).map(text) },
    { weight: 2, arbitrary: mutatedBytes(bytes).map((changed) => changed.toString('utf8')) },
    { weight: 1, arbitrary: fc.oneof(fc.string({ unit: 'binary' }), fc.json()) },
  );
}

/** The paths of all values within, the root included, breadth first. */
function placesIn(root: unknown): PropertyKey[][] {
  const paths: PropertyKey[][] = [[]];
  for (let index = 0; index < paths.length && paths.length < 200; index += 1) {
    const path = paths[index] ?? [];
    const value = path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], root);
    if (typeof value === 'object' && value !== null)
      paths.push(...Object.keys(value).map((key) => [...path, key]));
  }
  return paths;
}

function valueAt(root: unknown, share: number): unknown {
  const paths = placesIn(root);
  const path = paths[at(share, paths.length)] ?? [];
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], root);
}

function changedAt(root: unknown, share: number, change: (value: unknown) => unknown): unknown {
  const paths = placesIn(root);
  return replaced(root, paths[at(share, paths.length)] ?? [], change);
}

/** `undefined` takes a member away. */
function replaced(
  value: unknown,
  [key, ...rest]: readonly PropertyKey[],
  change: (value: unknown) => unknown,
): unknown {
  if (key === undefined) return change(value);
  const inner = replaced((value as Record<PropertyKey, unknown>)[key], rest, change);
  if (Array.isArray(value)) return value.with(Number(key), inner);
  return Object.fromEntries(
    Object.entries(value as Record<string, unknown>)
      .map(([name, member]) => [name, name === key ? inner : member] as const)
      .filter(([, member]) => member !== undefined),
  );
}

function withMember(value: unknown, name: string, member: unknown): unknown {
  if (Array.isArray(value)) return [...value, member];
  if (typeof value !== 'object' || value === null) return member;
  // fromEntries defines members: one named __proto__ is a member.
  return Object.fromEntries([...Object.entries(value as Container), [name, member]]);
}
