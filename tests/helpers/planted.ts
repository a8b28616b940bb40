/**
 * What the end-to-end tests plant: texts that stand in the payloads and properties of their messages and in their secrets, and that
 * must show nowhere but where messages and secrets belong. `all-output.test.ts` looks for them in all that the suite has put out.
 */
export const PLANTED = {
  payload: 'pLaNtEd-PaYlOaD',
  property: 'pLaNtEd-PrOpErTy',
  secret: 'pLaNtEd-SeCrEt',
} as const;

/** A payload that can be found again. */
export function plantedPayload(text: string): string {
  return `${PLANTED.payload} ${text}`;
}

/** The value of a property that can be found again. */
export function plantedProperty(text: string): string {
  return `${PLANTED.property} ${text}`;
}

/** A text as it may stand in an output: itself, within base64 at each of its three places, hexadecimal, as a list of bytes. */
export function formsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  const inBase64 = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // Its first and last characters hold bits of what stands around it.
    return whole.slice(before === 0 ? 0 : before + 1, bytes.length % 3 === (3 - before) % 3 ? undefined : -1);
  });
  return [text, ...inBase64, bytes.toString('hex'), [...bytes].join(',')];
}

/** Those of some texts that stand in an output, in whatever form. */
export function foundIn(output: string, texts: readonly string[]): string[] {
  return texts.filter((text) => formsOf(text).some((form) => output.includes(form)));
}
