import { UnmappableMessageError } from '../domain/errors/errors.ts';
import { utf8Length } from '../domain/text.ts';

/** A string or binary data of MQTT begins with two bytes of length. */
const MAX_FIELD_BYTES = 65_535;
/** A UTF-16 unit makes at most three bytes. */
const SURELY_FITS = 21_845;

/** Whether a text can be a UTF-8 string of MQTT: well-formed, without U+0000, at most 65,535 bytes [MQTT-1.5.4-1, MQTT-1.5.4-2]. */
export function fitsMqttText(text: string): boolean {
  return (
    text.isWellFormed() &&
    !text.includes('\u0000') &&
    (text.length <= SURELY_FITS || utf8Length(text) <= MAX_FIELD_BYTES)
  );
}

/** Throws `TEXT_NOT_MQTT` for a text that no broker would take: it would end the connection for everybody's messages. */
export function requireMqttText(what: string, text: string | undefined): void {
  if (text === undefined || fitsMqttText(text)) return;
  throw new UnmappableMessageError(
    `${what} holds U+0000 or a lone surrogate, or has more than ${MAX_FIELD_BYTES} bytes`,
    { code: 'TEXT_NOT_MQTT' },
  );
}

/** Throws `TEXT_NOT_MQTT` for correlation data that is too long for MQTT. */
export function requireMqttBytes(what: string, bytes: Buffer | undefined): void {
  if (bytes === undefined || bytes.length <= MAX_FIELD_BYTES) return;
  throw new UnmappableMessageError(`${what} has more than ${MAX_FIELD_BYTES} bytes`, {
    code: 'TEXT_NOT_MQTT',
  });
}
