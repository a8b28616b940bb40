/**
 * Loaded into the functions by `NODE_OPTIONS`: copies the lines that tell of single messages into a file. The emulator shows what a
 * function has written only when its invocation is over, and a shift works for a quarter of an hour.
 */
import { createWriteStream } from 'node:fs';

const file = createWriteStream(process.env.EXACTNESS_LINES ?? '/dev/null', { flags: 'a' });
const write = process.stderr.write.bind(process.stderr);

// What goes to standard output is on its way to the same place there.
process.stderr.write = (chunk, ...rest) => {
  const text = String(chunk);
  if (text.includes('"syncLatencyMs"') && text.includes('"rocketmqTopic"')) file.write(text);
  return write(chunk, ...rest);
};
