import { isUtf8 } from 'node:buffer';
import type { MqttMessage } from '../messages/message.ts';
import type { PathStep } from './template-expression.ts';

/** What a template can ask of a message; undefined is a missing value. */
export interface TemplateContext {
  topic(): string | undefined;
  /** Levels count from 1. */
  topicLevel(level: number): string | undefined;
  clientId(): string | undefined;
  tag(): string | undefined;
  /** The first key. */
  key(): string | undefined;
  /** The first value of this name. */
  property(name: string): string | undefined;
  /** A string, number or boolean in a JSON payload, as text. */
  payloadValue(path: readonly PathStep[]): string | undefined;
}

/** The context of an MQTT message. Topic levels and payload are taken apart on first use, once. */
export function contextOfMqttMessage(message: MqttMessage): TemplateContext {
  let levels: string[] | undefined;
  let payloadValue: TemplateContext['payloadValue'] | undefined;
  return {
    topic: () => message.topicName,
    topicLevel: (level) => {
      levels ??= message.topicName.split('/');
      return levels[level - 1];
    },
    clientId: () => message.clientId,
    tag: () => undefined,
    key: () => undefined,
    property: (name) => message.userProperties.find(([candidate]) => candidate === name)?.[1],
    payloadValue: (path) => {
      payloadValue ??= createPayloadReader(message.payload);
      return payloadValue(path);
    },
  };
}

/** What a RocketMQ message tells a template, however it carries it. */
export interface RocketmqTemplateSource {
  rocketmqTopic: string;
  tag?: string | undefined;
  keys: readonly string[];
  clientId?: string | undefined;
  payload: Buffer;
  /** A property by its name, or a user property of the MQTT message that it carries. */
  property(name: string): string | undefined;
}

/** The context of a RocketMQ message. Its topic has one level, since no slash is legal there. */
export function contextOfRocketmqMessage(source: RocketmqTemplateSource): TemplateContext {
  let payloadValue: TemplateContext['payloadValue'] | undefined;
  return {
    topic: () => source.rocketmqTopic,
    topicLevel: (level) => (level === 1 ? source.rocketmqTopic : undefined),
    clientId: () => source.clientId,
    tag: () => source.tag,
    key: () => source.keys[0],
    property: source.property,
    payloadValue: (path) => {
      payloadValue ??= createPayloadReader(source.payload);
      return payloadValue(path);
    },
  };
}

/**
 * Reads single values out of a JSON payload, which is parsed once. Whatever is no string, number or boolean, and every
 * path into a payload that is not JSON in UTF-8, is missing. Integers keep every digit, also beyond 2^53.
 */
export function createPayloadReader(payload: Buffer): (path: readonly PathStep[]) => string | undefined {
  const text = isUtf8(payload) ? payload.toString('utf8') : '';
  const json = parseJson(text);
  return (path) => {
    const value = walk(json, path);
    const isLong = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
    return textOf(isLong ? walk(parseJson(text, keepDigits), path) : value);
  };
}

/** No infinity: that is a number too large to be told. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : undefined;
}

function parseJson(text: string, reviver?: Parameters<typeof JSON.parse>[1]): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch {
    // Not JSON, or with a reviver too deep for the stack: then every value in it is missing, which the template decides about
    // (default or dead letter).
    return undefined;
  }
}

function walk(json: unknown, path: readonly PathStep[]): unknown {
  let value = json;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    // Own members only: "constructor" and the like are no data. An array has indexes, an object has names.
    if (Array.isArray(value) !== (typeof step === 'number') || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PathStep, unknown>)[step];
  }
  return value;
}

/** A reviver that leaves a long integer as the digits it was written with, instead of the nearest double. */
function keepDigits(_name: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source ?? '';
  return typeof value === 'number' && /^-?\d+$/.test(source) ? source : value;
}
